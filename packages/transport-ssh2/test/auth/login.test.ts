import { once } from 'node:events';
import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, nobodyToAsk } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { type Sshd, startSshd, waitUntil } from '@viassh/testing';
import t, { type Test } from 'tap';
import { answering, connectTo, failureOf, output } from '../connect-to.ts';

const programs = createProgramRunner();
const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'giving a user a password needs root';

t.test('an encrypted key', async (t) => {
  await using sshd = await startSshd({ authorize: false });
  const key = await sshd.generateKey({ passphrase: 'right' });
  await sshd.authorize(key.publicKey);
  const options = [`IdentityFile=${key.file}`];

  await t.test('is unlocked by the right passphrase after a wrong one', async (t) => {
    const authenticate = answering('wrong', 'right');
    await using connection = await connectTo(sshd, { options, authenticate });
    t.equal(await output(connection, 'echo in'), 'in\n');
    t.strictSame(
      authenticate.prompts.map(({ kind, echo }) => ({ kind, echo })),
      [
        { kind: 'passphrase', echo: false },
        { kind: 'passphrase', echo: false },
      ],
    );
    t.ok(authenticate.prompts[0]?.text.includes(key.file));
  });
  await t.test('is not asked for more than three times', async (t) => {
    const authenticate = answering('a', 'b', 'c', 'right');
    const error = await failureOf(connectTo(sshd, { options, authenticate }));
    t.equal(error.code, 'AUTH_FAILED');
    t.equal(authenticate.prompts.length, 3);
    t.match(error.message, /passphrase is wrong/);
    t.ok(error.message.includes(key.file), error.message);
  });
  await t.test('is passed over when nobody answers, and named', async (t) => {
    const error = await failureOf(connectTo(sshd, { options, authenticate: nobodyToAsk }));
    t.match(error, { code: 'AUTH_FAILED', message: /nobody gave the passphrase/, hint: /ssh-add/ });
  });
  await t.test('asks nobody in batch mode', async (t) => {
    const authenticate = answering('right');
    t.equal(
      (await failureOf(connectTo(sshd, { options: [...options, 'BatchMode=yes'], authenticate }))).code,
      'AUTH_FAILED',
    );
    t.equal(authenticate.prompts.length, 0);
  });
  await t.test('that the server would not take costs no question', async (t) => {
    const stranger = await sshd.generateKey({ passphrase: 'right' });
    const authenticate = answering('right');
    const error = await failureOf(
      connectTo(sshd, { options: [`IdentityFile=${stranger.file}`, 'IdentitiesOnly=yes'], authenticate }),
    );
    t.equal(error.code, 'AUTH_FAILED');
    t.notOk(authenticate.prompts.some(({ text }) => text.includes(stranger.file)));
  });
});

for (const type of ['rsa', 'ecdsa'] as const) {
  t.test(`a key of type ${type} logs in`, async (t) => {
    await using sshd = await startSshd({ authorize: false });
    const key = await sshd.generateKey({ type });
    await sshd.authorize(key.publicKey);
    await using connection = await connectTo(sshd, { options: [`IdentityFile=${key.file}`] });
    t.equal(connection.info.authenticatedBy, 'publickey');
  });
}

t.test('a failure tells what was tried, what the server takes and which keys were passed over', async (t) => {
  await using sshd = await startSshd({ authorize: false });
  const open = await sshd.generateKey();
  await chmod(open.file, 0o644);
  const damaged = await sshd.generateKey();
  await rm(`${damaged.file}.pub`);
  await writeFile(damaged.file, '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n');
  const missing = join(sshd.folder, 'not-there');
  const error = await failureOf(
    connectTo(sshd, {
      options: [open, damaged].map(({ file }) => `IdentityFile=${file}`).concat(`IdentityFile=${missing}`),
    }),
  );
  t.equal(error.code, 'AUTH_FAILED');
  t.ok(
    error.message.startsWith(`${sshd.user}@127.0.0.1:22: permission denied; tried: publickey (SHA256:`),
    error.message,
  );
  t.ok(error.message.includes(` ${sshd.identityFile})`), error.message);
  t.match(error.message, /the server takes: publickey/);
  t.ok(error.message.includes(`${open.file}: others can read it (mode 0644)`), error.message);
  t.ok(error.message.includes(`${damaged.file}: it is damaged`), error.message);
  t.notOk(error.message.includes(missing), 'a file that is not there is nothing to tell');
  t.match(error.hint, /authorized_keys/);
});

t.test('no key at all: the hint tells how to get one', async (t) => {
  await using sshd = await startSshd();
  await rm(sshd.identityFile);
  await rm(`${sshd.identityFile}.pub`);
  t.match(await failureOf(connectTo(sshd)), { code: 'AUTH_FAILED', message: /tried: nothing/, hint: /ssh-keygen/ });
  const agent = await failureOf(connectTo(sshd, { options: ['IdentityAgent=/nowhere/agent'] }));
  t.match(agent, { code: 'AUTH_FAILED', hint: /agent does not answer/ });
});

t.test('an agent', async (t) => {
  await using sshd = await startSshd({ authorize: false, config: ['MaxAuthTries 3'] });
  const key = await sshd.generateKey();
  await sshd.authorize(key.publicKey);
  const agent = await startAgent(t, sshd);
  await agent.add(key.file);
  const privateHalf = await readFile(key.file);
  await rm(key.file);
  const viaAgent = [`IdentityAgent=${agent.socket}`];

  await t.test('logs in with a key that is in no file', async (t) => {
    await rm(`${key.file}.pub`);
    await using connection = await connectTo(sshd, { options: [...viaAgent, 'IdentitiesOnly=no'] });
    t.equal(await output(connection, 'echo in'), 'in\n');
  });
  await t.test('is not asked for other keys with IdentitiesOnly', async (t) => {
    const error = await failureOf(connectTo(sshd, { options: viaAgent }));
    t.equal(error.code, 'AUTH_FAILED');
    t.notMatch(error.message, /\(agent\)/);
  });
  await t.test('is asked with IdentitiesOnly for a key of which the public half is an IdentityFile', async (t) => {
    await writeFile(`${key.file}.pub`, `${key.publicKey}\n`);
    for (const file of [key.file, `${key.file}.pub`]) {
      await using connection = await connectTo(sshd, { options: [...viaAgent, `IdentityFile=${file}`] });
      t.equal(connection.info.authenticatedBy, 'publickey');
    }
  });
  await t.test('with too many keys: the failure tells which were tried', async (t) => {
    const crowded = await startAgent(t, sshd);
    for (let index = 0; index < 4; index += 1) await crowded.add((await sshd.generateKey()).file);
    const error = await failureOf(
      connectTo(sshd, { options: [`IdentityAgent=${crowded.socket}`, 'IdentitiesOnly=no'] }),
    );
    t.equal(error.code, 'AUTH_FAILED');
    t.equal(error.message.match(/publickey \(/g)?.length, 3, error.message);
  });
  await t.test('that is locked falls through to the file', async (t) => {
    await writeFile(key.file, privateHalf, { mode: 0o600 });
    await agent.kill();
    await using connection = await connectTo(sshd, { options: [...viaAgent, `IdentityFile=${key.file}`] });
    t.equal(connection.info.authenticatedBy, 'publickey');
  });
});

t.test('passwords', { skip: needsRoot }, async (t) => {
  await using sshd = await startSshd({ authorize: false, password: 'barley' });
  await t.test('the second answer lets in', async (t) => {
    const authenticate = answering('wrong', 'barley');
    await using connection = await connectTo(sshd, { authenticate });
    t.equal(connection.info.authenticatedBy, 'password');
    t.match(authenticate.prompts[1], { kind: 'password', echo: false, text: `${sshd.user}@127.0.0.1's password:` });
  });
  await t.test('are in no message and no log', async (t) => {
    const lines: string[] = [];
    const log = createLogger('debug', (_level, line) => lines.push(line));
    const error = await failureOf(
      connectTo(sshd, { authenticate: answering('s3cr3t-a', 's3cr3t-b', 's3cr3t-c'), log }),
    );
    t.match(error, { code: 'AUTH_FAILED', message: /tried: publickey .*, password;/ });
    t.notMatch(`${error.message} ${error.hint} ${lines.join()}`, /s3cr3t/);
    t.ok(lines.length > 0);
  });
  await t.test('are not asked for with PasswordAuthentication no, or another order', async (t) => {
    const authenticate = answering('barley');
    t.equal(
      (await failureOf(connectTo(sshd, { options: ['PasswordAuthentication=no'], authenticate }))).code,
      'AUTH_FAILED',
    );
    t.equal(
      (await failureOf(connectTo(sshd, { options: ['PreferredAuthentications=publickey'], authenticate }))).code,
      'AUTH_FAILED',
    );
    t.equal(authenticate.prompts.length, 0);
  });
  await t.test('and nobody to ask: the hint says so', async (t) => {
    await using strict = await startSshd({ password: 'barley', config: ['PubkeyAuthentication no'] });
    t.match(await failureOf(connectTo(strict)), { code: 'AUTH_FAILED', hint: /nobody to ask/ });
  });
  await t.test('while a person types, ConnectTimeout stands still', async (t) => {
    const asked = Promise.withResolvers<void>();
    const authenticate = {
      ask: async (): Promise<string> => {
        asked.resolve();
        const before = Date.now();
        await waitUntil('more than ConnectTimeout to pass', async () => Date.now() - before > 1200);
        return 'barley';
      },
    };
    await using connection = await connectTo(sshd, { options: ['ConnectTimeout=1'], authenticate });
    await asked.promise;
    t.equal(connection.info.authenticatedBy, 'password');
  });
  await t.test('a server that goes away while a person is asked ends the question', async (t) => {
    const asked = Promise.withResolvers<AbortSignal | undefined>();
    const ask = (_prompt: unknown, signal?: AbortSignal): Promise<undefined> => {
      asked.resolve(signal);
      return once(signal as AbortSignal, 'abort').then(() => undefined);
    };
    const failure = failureOf(connectTo(sshd, { authenticate: { ask } }));
    const signal = await asked.promise;
    await sshd.kill();
    t.equal((await failure).code, 'SERVER_CLOSED');
    t.ok(signal?.aborted);
  });
});

t.test('a key and a password that are both asked for', { skip: needsRoot }, async (t) => {
  await using sshd = await startSshd({ password: 'barley', config: ['AuthenticationMethods publickey,password'] });
  await using connection = await connectTo(sshd, { authenticate: answering('barley') });
  t.equal(await output(connection, 'echo both'), 'both\n');
  t.match(await failureOf(connectTo(sshd, { authenticate: nobodyToAsk })), {
    code: 'AUTH_FAILED',
    message: /accepted a part.*the server takes: password/,
  });
});

t.test('keyboard-interactive', { skip: needsRoot }, async (t) => {
  await using sshd = await startSshd({
    authorize: false,
    password: 'barley',
    config: ['UsePAM yes', 'KbdInteractiveAuthentication yes', 'AuthenticationMethods keyboard-interactive'],
  });
  await t.test('asks what the server asks', async (t) => {
    const authenticate = answering('barley');
    await using connection = await connectTo(sshd, { authenticate });
    t.equal(connection.info.authenticatedBy, 'keyboard-interactive');
    t.match(authenticate.prompts, [{ kind: 'keyboard-interactive', echo: false, text: /password/i }]);
  });
  await t.test('without an answer is given up', async (t) => {
    const authenticate = answering(undefined);
    t.match(await failureOf(connectTo(sshd, { authenticate })), {
      code: 'AUTH_FAILED',
      message: /keyboard-interactive/,
    });
    t.equal(authenticate.prompts.length, 1);
    t.notMatch(await sshd.log(), /error: PAM: Authentication failure/, 'no empty answer was sent');
  });
});

/** A private ssh-agent that ends with the test. */
async function startAgent(
  t: Test,
  sshd: Sshd,
): Promise<{ socket: string; add(file: string): Promise<void>; kill(): Promise<void> }> {
  const socket = join(sshd.folder, `agent-${Math.random()}`);
  const agent = await programs.start({
    file: 'ssh-agent',
    args: ['-D', '-a', socket],
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const kill = async (): Promise<void> => {
    agent.kill('SIGTERM');
    await agent.exit;
  };
  t.teardown(kill);
  await once(agent.stdout ?? t, 'data');
  return {
    socket,
    kill,
    async add(file) {
      const copy = `${file}.for-agent`;
      await copyFile(file, copy);
      const { exit, stderr } = await programs.run({
        file: 'ssh-add',
        args: ['-q', copy],
        env: { SSH_AUTH_SOCK: socket },
      });
      await rm(copy);
      t.match(exit, { code: 0 }, stderr);
    },
  };
}
