/*
 * Simulated clock for dnsmasq and the programs that its script starts (LD_PRELOAD).
 *
 * The wall clock and the monotonic clock are read from a mapped file (LEASELAB_CLOCK: two 64-bit numbers of seconds) that
 * leaselab writes. The clocks do not advance between these writes.
 *
 * In dnsmasq itself (LEASELAB_CONTROL is set), alarm() uses this monotonic clock, and dnsmasq reports when it is idle:
 * leaselab sends a number over a socket to dnsmasq or to the helper process that runs its scripts. The process sends the
 * number back when it has nothing left to do and is about to wait. dnsmasq also reports how many DHCP messages it has read
 * and handled and how many it has sent. From these numbers, leaselab knows which messages were lost and which to wait for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Maximum number of descriptors that are handled. dnsmasq never polls that many. */
#define MOST 256
/* Number of rounds of the main loop with input only from its own pipe after which dnsmasq is considered busy forever. */
#define ROUNDS 200

struct page {
	volatile int64_t wall, mono;
};

/*
 * A message to leaselab. The first message of a connection contains the role and the process id. Each later message
 * contains the number received (0: none), the time at which SIGALRM is due (0: never), and how many DHCP messages were
 * read and sent.
 */
struct message {
	int64_t what, value, dhcp_messages, dhcp_replies;
};

static const struct page *page;
static char control[sizeof(((struct sockaddr_un *)0)->sun_path)];
static pid_t dnsmasq;
static int line = -1;
static pid_t line_owner;
static int64_t owed;
static int64_t due;
static int64_t dhcp_messages, dhcp_messages_reported, dhcp_replies;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("LEASELAB_CLOCK");
	const char *socket_path = getenv("LEASELAB_CONTROL");
	int fd;
	void *map;

	/* The emulated nvram is part of leaselab, and its time limits are in real time. */
	if (!path || !strcmp(program_invocation_short_name, "nvram"))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*page), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	page = map;
	if (socket_path && strlen(socket_path) < sizeof(control)) {
		strcpy(control, socket_path);
		dnsmasq = getpid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* leaselab sets these in the script's environment itself. */
		unsetenv("LEASELAB_CONTROL");
		unsetenv("LEASELAB_CLOCK");
		unsetenv("LD_PRELOAD");
	}
}

static int is_dnsmasq(void)
{
	return dnsmasq && getpid() == dnsmasq;
}

/*
 * Connects this process to leaselab unless it is connected. Each process needs its own connection, because dnsmasq closes
 * descriptors that it did not open, and forks its helper.
 */
static int connected(int64_t role)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct message hello = { role, getpid(), 0, 0 };

	if (line_owner == getpid())
		return line >= 0;
	line_owner = getpid();
	owed = 0;
	line = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (line < 0)
		return 0;
	strcpy(address.sun_path, control);
	if (connect(line, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(line, &hello, sizeof(hello), MSG_NOSIGNAL) < 0) {
		close(line);
		line = -1;
	}
	return line >= 0;
}

static void take_number(void)
{
	if (recv(line, &owed, sizeof(owed), MSG_DONTWAIT) == 0) {
		/* leaselab has closed the connection. */
		close(line);
		line = -1;
		owed = 0;
	}
}

static void at_rest(void)
{
	struct message message = { owed, due, dhcp_messages, dhcp_replies };

	owed = 0;
	dhcp_messages_reported = dhcp_messages;
	send(line, &message, sizeof(message), MSG_NOSIGNAL);
}

static int real_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec limit = { timeout / 1000, timeout % 1000 * 1000000L };

	return ppoll(fds, count, timeout < 0 ? NULL : &limit, NULL);
}

/*
 * Returns whether dnsmasq does nothing but read its own pipe. Until 2.80, dnsmasq repeatedly writes the alarm into its own
 * pipe in the second in which a lease ends (send_alarm in dnsmasq.c), so it is never idle while the clock stands still.
 */
static int is_busy_with_itself(const struct pollfd *fds, nfds_t count, int ready)
{
	static int64_t since;
	static int rounds;
	struct stat status;
	nfds_t at = 0;

	while (at < count && !fds[at].revents)
		at++;
	if (ready != 1 || at == count || fstat(fds[at].fd, &status) < 0 || !S_ISFIFO(status.st_mode) || since != page->mono) {
		since = page->mono;
		rounds = 0;
	}
	return ++rounds > ROUNDS;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct pollfd own[MOST + 1];

	if (!is_dnsmasq() || count > MOST || !connected('M'))
		return real_poll(fds, count, timeout);
	for (;;) {
		int ready;

		if (due && page->mono >= due) {
			due = 0;
			raise(SIGALRM);
		}
		if (dhcp_messages > dhcp_messages_reported && !owed)
			at_rest();
		memcpy(own, fds, count * sizeof(*fds));
		own[count] = (struct pollfd){ .fd = line, .events = POLLIN };
		ready = real_poll(own, count + 1, owed ? 0 : timeout);
		if (ready < 0)
			return ready;
		ready -= own[count].revents != 0;
		if (ready > 0 && is_busy_with_itself(own, count, ready)) {
			if (own[count].revents)
				take_number();
			if (owed)
				at_rest();
		}
		if (ready > 0 || (!owed && !own[count].revents)) {
			for (nfds_t at = 0; at < count; at++)
				fds[at].revents = own[at].revents;
			return ready;
		}
		if (owed)
			at_rest();
		else
			take_number();
		if (line < 0)
			return real_poll(fds, count, timeout);
	}
}

/* Until 2.73, dnsmasq waits in select(). */
int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except, struct timeval *restrict limit)
{
	struct pollfd fds[MOST];
	fd_set *sets[3] = { in, out, except };
	static const short events[3] = { POLLIN, POLLOUT, POLLPRI };
	/* As in the kernel, the end of a stream counts as readable, and an error counts as readable and writable. */
	static const short found[3] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI };
	nfds_t used = 0;
	int timeout = limit ? limit->tv_sec * 1000 + (limit->tv_usec + 999) / 1000 : -1;
	int ready;

	for (int fd = 0; fd < count && used < MOST; fd++) {
		struct pollfd one = { .fd = fd };

		for (int set = 0; set < 3; set++)
			if (sets[set] && FD_ISSET(fd, sets[set]))
				one.events |= events[set];
		if (one.events)
			fds[used++] = one;
	}
	ready = poll(fds, used, timeout);
	if (ready < 0)
		return ready;
	for (int set = 0; set < 3; set++)
		if (sets[set])
			FD_ZERO(sets[set]);
	ready = 0;
	for (nfds_t at = 0; at < used; at++)
		for (int set = 0; set < 3; set++)
			if (sets[set] && (fds[at].events & events[set]) && (fds[at].revents & found[set])) {
				FD_SET(fds[at].fd, sets[set]);
				ready++;
			}
	return ready;
}

static int is_dhcp_server_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t size = sizeof(address);

	if (getsockname(fd, &address.any, &size) < 0)
		return 0;
	switch (address.any.sa_family) {
	case AF_INET:
		return address.v4.sin_port == htons(67);
	case AF_INET6:
		return address.v6.sin6_port == htons(547);
	default:
		return 0;
	}
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t size = syscall(SYS_recvmsg, fd, message, flags);

	if (size >= 0 && !(flags & MSG_PEEK) && is_dnsmasq() && is_dhcp_server_port(fd))
		dhcp_messages++;
	return size;
}

static void count_reply(ssize_t sent, int fd)
{
	if (sent >= 0 && is_dnsmasq() && is_dhcp_server_port(fd))
		dhcp_replies++;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);

	count_reply(sent, fd);
	return sent;
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	ssize_t sent = syscall(SYS_sendto, fd, buffer, size, flags, to, to_size);

	count_reply(sent, fd);
	return sent;
}

/* The helper waits for calls in read(). */
ssize_t read(int fd, void *buffer, size_t size)
{
	while (dnsmasq && !is_dnsmasq() && connected('H')) {
		struct pollfd both[2] = { { .fd = fd, .events = POLLIN }, { .fd = line, .events = POLLIN } };

		if (real_poll(both, 2, -1) < 0 || both[0].revents)
			break;
		take_number();
		if (owed)
			at_rest();
	}
	return syscall(SYS_read, fd, buffer, size);
}

unsigned int alarm(unsigned int seconds)
{
	unsigned int left = 0;

	if (!is_dnsmasq()) {
		struct itimerval next = { .it_value = { .tv_sec = seconds } }, before;

		setitimer(ITIMER_REAL, &next, &before);
		return before.it_value.tv_sec + (before.it_value.tv_usec != 0);
	}
	if (due)
		left = due > page->mono ? due - page->mono : 1;
	due = seconds ? page->mono + seconds : 0;
	return left;
}

time_t time(time_t *where)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (where)
		*where = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict where, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	where->tv_sec = now.tv_sec;
	where->tv_usec = now.tv_nsec / 1000;
	return 0;
}

int clock_gettime(clockid_t which, struct timespec *where)
{
	if (!page)
		return syscall(SYS_clock_gettime, which, where);
	switch (which) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		where->tv_sec = page->wall;
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
		where->tv_sec = page->mono;
		break;
	default:
		return syscall(SYS_clock_gettime, which, where);
	}
	where->tv_nsec = 0;
	return 0;
}

/* Older releases use this clock with HAVE_BROKEN_RTC. */
clock_t times(struct tms *where)
{
	clock_t real = syscall(SYS_times, where);

	return page ? page->mono * sysconf(_SC_CLK_TCK) : real;
}

/* Dropping groups fails in a user namespace with a single user, so dnsmasq skips it. */
int setgroups(size_t count, const gid_t *groups)
{
	return dnsmasq ? 0 : syscall(SYS_setgroups, count, groups);
}

int setgid(gid_t group)
{
	return dnsmasq ? 0 : syscall(SYS_setgid, group);
}
