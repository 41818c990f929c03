import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Connection } from 'ssh2';
import { type ClientFiles, DEMO_NAME, writeClientFiles } from './client-files.ts';
import { serveSession } from './demo-session.ts';
import { type Ed25519Key, generateEd25519Key } from './ed25519-key.ts';
import { createMailboxes, type Mailbox } from './imap/mailbox.ts';
import type { DemoMail } from './imap/demo-mails.ts';
import { publicKeyLogin } from './public-key-login.ts';

/** What the demo serves. */
export interface DemoServerOptions {
  /** The INBOX; default: {@link demoMails}. */
  readonly mails?: readonly DemoMail[] | undefined;
}

/** A server that runs, and the files with which a client gets in. Disposing ends and removes all of it. */
export interface DemoServer
  extends AsyncDisposable,
    Pick<ClientFiles, 'configFile' | 'identityFile' | 'knownHostsFile'> {
  /** The destination to type with `-F configFile`. */
  readonly destination: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/**
 * Starts an SSH server on loopback with an IMAP mailbox in memory: exec `imapd` greets with PREAUTH. Host key and
 * client key are made afresh and are good for this server alone.
 */
export async function startDemoServer(options: DemoServerOptions = {}): Promise<DemoServer> {
  const [hostKey, clientKey] = [generateEd25519Key('viassh-demo-host'), generateEd25519Key('viassh-demo')];
  const { port, close } = await listen(await createSshServer(hostKey, clientKey, createMailboxes(options.mails)));
  const files = await writeClientFiles(port, hostKey, clientKey).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  let ending: Promise<unknown> | undefined;
  const end = (): Promise<unknown> => Promise.all([close(), files[Symbol.asyncDispose]()]);
  const { configFile, identityFile, knownHostsFile } = files;
  return {
    destination: DEMO_NAME,
    host: '127.0.0.1',
    port,
    user: DEMO_NAME,
    configFile,
    identityFile,
    knownHostsFile,
    async [Symbol.asyncDispose]() {
      await (ending ??= end());
    },
  };
}

/** What takes an accepted socket over. */
type SshServer = (socket: Socket) => void;

async function createSshServer(
  hostKey: Ed25519Key,
  clientKey: Ed25519Key,
  mailboxes: readonly Mailbox[],
): Promise<SshServer> {
  const { default: ssh2 } = await import('ssh2');
  const key = ssh2.utils.parseKey(clientKey.publicLine);
  if (key instanceof Error) throw key;
  const login = publicKeyLogin(DEMO_NAME, key);
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey], ident: 'viassh_demo' }, (connection: Connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', login);
    connection.on('session', (accept) => serveSession(accept(), mailboxes));
  });
  return (socket) => server.injectSocket(socket);
}

/** A listener of our own, because ssh2's leaves Nagle's algorithm on. */
async function listen(serve: SshServer): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    serve(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return { port: (listener.address() as AddressInfo).port, close: () => closeAll(listener, sockets) };
}

async function closeAll(listener: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(listener, 'close');
  listener.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}
