export { type DemoServer, type DemoServerOptions, startDemoServer } from './demo-server.ts';
export { DEMO_COMMAND } from './demo-session.ts';
export { type DemoMail, demoMails } from './imap/demo-mails.ts';
