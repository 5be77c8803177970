window.selfTest = { errors: [] };
window.addEventListener("error", (event) => window.selfTest.errors.push(String(event.message)));
window.addEventListener("unhandledrejection", (event) => window.selfTest.errors.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => window.selfTest.errors.push(`blocked: ${event.blockedURI}`));
