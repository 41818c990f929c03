import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import ssh2 from 'ssh2';
import t from 'tap';
import { type DemoServer, demoMails, startDemoServer } from '@viassh/demo';
import { generateEd25519Key } from '../src/ed25519-key.ts';

const skip = spawnSync('ssh', ['-V']).error !== undefined && 'no ssh binary is installed';

async function ssh(
  server: DemoServer,
  words: readonly string[],
  input: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn('ssh', ['-F', server.configFile, '-o', 'BatchMode=yes', ...words]);
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

/** An ssh2 connection with the client key of the server; the host key must be the one that known_hosts tells. */
async function connect(server: DemoServer, settings: ssh2.ConnectConfig = {}): Promise<ssh2.Client> {
  const client = new ssh2.Client().on('error', () => undefined);
  const ready = once(client, 'ready');
  client.connect({
    host: server.host,
    port: server.port,
    username: server.user,
    privateKey: readFileSync(server.identityFile),
    hostVerifier: (key: Buffer) => readFileSync(server.knownHostsFile, 'utf8').includes(key.toString('base64')),
    ...settings,
  });
  await ready.catch((error: unknown) => {
    client.destroy();
    throw error;
  });
  return client;
}

function exec(client: ssh2.Client, command: string): Promise<ssh2.ClientChannel> {
  return new Promise((resolve, reject) =>
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel))),
  );
}

t.test('plain ssh reads the mailbox with the configuration that the server wrote', { skip }, async (t) => {
  await using server = await startDemoServer();
  const { code, stdout, stderr } = await ssh(
    server,
    [server.destination, 'imapd'],
    'a SELECT INBOX\r\nb FETCH 2 BODY[]\r\nc LOGOUT\r\n',
  );
  t.equal(code, 0, stderr);
  t.match(stdout, /^\* PREAUTH /);
  t.ok(stdout.includes(`{${demoMails()[1]?.raw.length}}\r\n${demoMails()[1]?.raw.toString()}`));
  t.match(stdout, /\r\nc OK LOGOUT completed\r\n$/);
});

t.test('plain ssh: end of input ends the session, another command is 127, a shell is refused', { skip }, async (t) => {
  await using server = await startDemoServer();
  t.match(await ssh(server, [server.destination, 'imapd'], ''), { code: 0, stdout: /^\* PREAUTH [^\n]*\n$/ });
  t.match(await ssh(server, [server.destination, 'ls -l'], ''), {
    code: 127,
    stdout: /^$/,
    stderr: /ls -l: command not found/,
  });
  t.match(await ssh(server, [server.destination], ''), { code: 1, stderr: /no shell/ });
  t.match(await ssh(server, ['-s', server.destination, 'sftp'], ''), { code: 255 });
});

t.test('plain ssh: only the one key and the one user get in', { skip }, async (t) => {
  await using server = await startDemoServer();
  const other = join(dirname(server.identityFile), 'other');
  writeFileSync(other, generateEd25519Key('other').privateKey, { mode: 0o600 });
  const config = join(dirname(server.configFile), 'other_config');
  writeFileSync(config, readFileSync(server.configFile, 'utf8').replace(server.identityFile, other));
  t.match(await ssh({ ...server, configFile: config }, [server.destination, 'imapd'], ''), {
    code: 255,
    stdout: /^$/,
    stderr: /Permission denied \(publickey\)/,
  });
  t.match(await ssh(server, ['-l', 'root', server.destination, 'imapd'], ''), {
    code: 255,
    stderr: /Permission denied/,
  });
});

t.test('ssh2 reads the mailbox; sessions of one connection run beside each other', async (t) => {
  await using server = await startDemoServer();
  const client = await connect(server);
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const channel = await exec(client, 'imapd');
      channel.end('a EXAMINE INBOX\r\nb FETCH 1:* RFC822\r\nc LOGOUT\r\n');
      const [out, [code]] = await Promise.all([text(channel), once(channel, 'exit')]);
      return { out, code: code as number };
    }),
  );
  t.ok(answers.every(({ code, out }) => code === 0 && out === answers[0]?.out && out.includes('* 4 FETCH')));
  const gone = once(client, 'close');
  client.end();
  await gone;
});

t.test('ssh2: a wrong key and a password are refused', async (t) => {
  await using server = await startDemoServer();
  await t.rejects(connect(server, { privateKey: generateEd25519Key('other').privateKey }), {
    message: /authentication methods failed/,
  });
  await t.rejects(connect(server, { privateKey: undefined, password: 'demo' }), {
    message: /authentication methods failed/,
  });
  await t.rejects(connect(server, { username: 'root' }), { message: /authentication methods failed/ });
});

t.test('a client that vanishes in the middle leaves the server up', async (t) => {
  await using server = await startDemoServer();
  const first = await connect(server);
  const channel = await exec(first, 'imapd');
  channel.write(`a SELECT INBOX\r\n${'b FETCH 1:* BODY.PEEK[]\r\n'.repeat(5000)}`); // more than the window holds, and nobody reads
  await once(channel, 'readable');
  const gone = once(first, 'close');
  first.destroy();
  await gone;
  const second = await connect(server);
  t.match(await exec(second, 'imapd').then((next) => text(next.end('a LOGOUT\r\n'))), /^\* PREAUTH/);
  second.end();
});

t.test('disposing ends connections and removes the files, and may be done twice', async (t) => {
  const server = await startDemoServer();
  t.equal(statSync(dirname(server.identityFile)).mode & 0o777, 0o700);
  t.equal(statSync(server.identityFile).mode & 0o777, 0o600);
  const client = await connect(server);
  const gone = once(client, 'close');
  await server[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await gone;
  t.notOk(existsSync(dirname(server.identityFile)));
  await t.rejects(once(createConnection(server.port, server.host), 'connect'), { code: 'ECONNREFUSED' });
});

t.test('importing does nothing: ssh2 is loaded when a server starts', async (t) => {
  const script = `await import('@viassh/demo'); const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('ssh2')).length)`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@viassh/source', '--input-type=module', '-e', script],
    {
      cwd: dirname(import.meta.dirname),
      encoding: 'utf8',
    },
  );
  t.equal(stdout.trim(), '0', stderr);
});
