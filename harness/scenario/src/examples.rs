//! Examples of steps and expectations, in the order in which the reference lists them.

/// The keys of a step, each with steps that use it.
pub(crate) const STEPS: &[(&str, &str)] = &[
    ("boot", "[[step]]\nboot = { off = \"5m\", clock = \"1970\" }"),
    ("shutdown", "[[step]]\nshutdown = true"),
    ("power-cut", "[[step]]\npower-cut = true"),
    ("advance", "[[step]]\nadvance = \"6h30m\""),
    ("set-clock", "[[step]]\nset-clock = \"-540d\""),
    ("ntp", "[[step]]\nntp = true"),
    ("drift", "[[step]]\ndrift = 200"),
    ("dnsmasq", "[[step]]\ndnsmasq = \"sighup\""),
    (
        "configure",
        "[[step]]\nconfigure = { lease-time = \"1h\", add-options = [\"--dhcp-host=02:aa:00:00:00:01,192.168.1.9,nas\"] }\n\n\
         [[step]]\ndnsmasq = \"restart\"",
    ),
    ("files", "[[step]]\nfiles = { \"/tmp/hosts\" = '02:aa:00:00:00:01,printer\\x0a' }"),
    ("remove-files", "[[step]]\nremove-files = [\"/tmp/hosts\"]"),
    (
        "join",
        "[[step]]\njoin = { client = \"phone\", hostname = \"Pixel\", address = \"192.168.1.60\" }\n\n\
         [[step]]\njoin = { client = \"guest\", count = 20 }\n\n[[step]]\njoin = { client = \"six\", v6 = \"na\" }",
    ),
    ("request", "[[step]]\nrequest = { client = \"phone\", address = \"192.168.1.61\" }"),
    ("renew", "[[step]]\nrenew = { client = \"guest-*\" }"),
    ("rebind", "[[step]]\nrebind = { client = \"phone\" }"),
    ("init-reboot", "[[step]]\ninit-reboot = { client = \"phone\" }"),
    ("rename", "[[step]]\nrename = { client = \"phone\", hostname = \"Pixel-8\" }"),
    ("inform", "[[step]]\ninform = { client = \"phone\" }"),
    ("release", "[[step]]\nrelease = { client = \"phone\" }"),
    ("decline", "[[step]]\ndecline = { client = \"phone\" }"),
    ("silence", "[[step]]\nsilence = { client = \"guest-3\" }"),
    ("journal", "[[step]]\njournal = { path = \"dhcpd.leases\", for = \"30d\" }"),
    (
        "call",
        "[[step]]\ncall = { arguments = [\"add\", \"02:00:00:00:00:01\", \"192.168.1.57\"], environment = { DNSMASQ_LEASE_LENGTH = \"3600\" } }",
    ),
    ("nvram", "[[step]]\nnvram = [[\"set\", \"lan_ipaddr=192.168.2.1\"], [\"commit\"]]"),
    ("damage", "[[step]]\ndamage = { offset = 8, bytes = \"ff:ff\" }"),
    (
        "cut",
        "[[step]]\njoin = { client = \"phone\" }\ncut = \"before commit\"\n\n\
         [[step]]\nboot = {}\n\n[[step]]\njoin = { client = \"phone\" }\ncut = \"file change 2\"",
    ),
    (
        "kill",
        "[[step]]\njoin = { client = \"phone\" }\nkill = \"after set\"\n\n\
         [[step]]\nrenew = { client = \"phone\" }\nkill = \"file change 1\"",
    ),
    ("fail", "[[step]]\njoin = { client = \"phone\" }\nfail = \"commit\""),
    (
        "at-call",
        "[[step]]\nrename = { client = \"phone\", hostname = \"b\" }\ncut = \"before set\"\nat-call = 2",
    ),
    ("web-page", "[[step]]\njoin = { client = \"phone\" }\nweb-page = true"),
    ("times", "[[step]]\nrenew = { client = \"phone\" }\ntimes = 3"),
    ("every", "[[step]]\nrenew = { client = \"*\" }\nevery = \"6h\"\nuntil = \"30d\""),
    ("until", "[[step]]\nrenew = { client = \"*\" }\nevery = \"6h\"\nuntil = \"30d\""),
    ("when", "[[step]]\nwhen = { rtc = [\"good\", \"broken\"] }\nntp = true"),
    ("note", "[[step]]\nnote = \"the phone is out of the house\"\nadvance = \"8h\""),
    (
        "expect",
        "[[step]]\nboot = {}\nexpect = [{ leases = 2 }, { when = { rtc = \"good\" }, calls = 4 }]",
    ),
];

/// The expectations, each with a value.
pub(crate) const EXPECTATIONS: &[(&str, &str)] = &[
    ("when", "{ rtc = \"good\" }, calls = 1"),
    ("leases", "2"),
    ("lines", "[\"*TIME* 02:aa:00:00:00:01 192.168.1.60 phone 01:02:aa:00:00:00:01\"]"),
    ("has", "[\"phone\", \"guest-*\", \"192.168.1.60\"]"),
    ("lacks", "[\"guest-3\"]"),
    ("names", "[\"phone\", \"phone.lan\"]"),
    ("no-names", "[\"printer\"]"),
    ("remaining", "{ phone = \"11h30m\" }"),
    ("reply", "\"nak\""),
    ("dnsmasq-exit", "5"),
    ("calls", "2"),
    ("call-list", "[\"init\", \"old 02:aa:00:00:00:01 192.168.1.60 phone\"]"),
    ("failed-calls", "1"),
    ("exit", "0"),
    ("stderr", "[\"no room\"]"),
    ("files", "{ \"/tmp/hosts\" = '192.168.1.60 phone\\x0a' }"),
    ("no-files", "[\"/tmp/lock\"]"),
    ("variables", "{ lan_ipaddr = \"192.168.1.1\" }"),
    ("no-variables", "[\"dnsmasq_lease_192.168.1.61\"]"),
    ("flash", "{ lan_ipaddr = \"192.168.1.1\" }"),
    ("no-flash", "[\"dnsmasq_lease_192.168.1.61\"]"),
    ("committed", "true"),
    ("nvram-commands", "4"),
    ("commits", "1"),
    ("erases", "1"),
    ("programmed", "4096"),
    ("flash-operations", "3"),
    ("total-calls", "10"),
    ("total-commits", "3"),
    ("total-erases", "3"),
    ("record-bytes", "{ at-least = 60, at-most = 120 }"),
    ("stored-bytes", "{ at-most = 8192 }"),
];
