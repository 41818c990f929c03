import { startSshd } from '@viassh/testing';
import { skipWithoutSshd, onBothTransports, tidyTest } from './both-transports.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

// oxlint-disable-next-line no-control-regex -- these are what is looked for
const escapes = /[\u001b\u009b]/;

onBothTransports('-s asks for a subsystem, and refuses none and an unknown one', async (t, transport) => {
  await using sshd = await startSshd({ config: ['Subsystem echo /bin/cat'] });
  const echoed = await viassh(['pipe', '-s', ...at(sshd, transport), '--', 'echo'], { input: 'to and fro' });
  t.strictSame(
    { ...echoed, stdout: echoed.stdout.toString() },
    { code: 0, signal: null, stdout: 'to and fro', stderr: '' },
  );
  const unknown = await viassh(['pipe', '-s', ...at(sshd, transport), '--', 'no-such-subsystem']);
  t.equal(unknown.code, 255);
  t.match(unknown.stderr, /^viassh: .*no-such-subsystem.* \(REQUEST_REFUSED\)\n {2}hint: .*\n$/);
  const none = await viassh(['pipe', '-s', ...at(sshd, transport)]);
  t.equal(none.code, 64);
  t.match(none.stderr, /\(USAGE\)\n {2}hint: /);
});

const skipTerminal =
  skipWithoutSshd || (process.getuid?.() !== 0 && 'an sshd that is not root cannot give a terminal away');
onBothTransports(
  '-t gives the command a terminal, without it there is none',
  async (t, transport) => {
    await using sshd = await startSshd();
    const command = 'test -t 0 && test -t 1 && echo terminal $TERM || echo none';
    const env = { TERM: 'vt220' };
    const plain = await viassh(['pipe', ...at(sshd, transport), '--', command], { env });
    t.equal(plain.stdout.toString(), 'none\n');
    await using running = startViassh(['pipe', '-t', ...at(sshd, transport), '--', `${command}; exit 3`], { env });
    t.equal(Buffer.concat(await running.stdout.toArray()).toString(), 'terminal vt220\r\n');
    t.strictSame(await running.exit, { code: 3, signal: null });
  },
  skipTerminal,
);

onBothTransports('-v tells the facts of the connection', async (t, transport) => {
  await using sshd = await startSshd();
  const { code, stdout, stderr } = await viassh(['pipe', '-v', ...at(sshd, transport), '--', 'echo out; exit 2']);
  t.strictSame({ code, stdout: stdout.toString() }, { code: 2, stdout: 'out\n' });
  t.match(stderr, new RegExp(`transport ${transport}: `));
  t.ok(stderr.includes(sshd.hostKeyFingerprint), 'host key');
  t.match(stderr, /logged in by publickey/);
  t.match(stderr, /cipher \S+@openssh\.com/);
  t.match(stderr, /ended: status 2; 0 bytes sent, 4 received/);
});

onBothTransports('-vv tells everything but secrets', async (t, transport) => {
  await using sshd = await startSshd();
  const secret = 'correct-horse-battery';
  const { code, stderr } = await viassh(['pipe', '-vv', ...at(sshd, transport), '--', 'cat >/dev/null'], {
    input: secret,
    env: { VIASSH_TEST_SECRET: secret },
  });
  t.equal(code, 0);
  t.match(stderr, /debug: /);
  t.notOk(stderr.includes(secret));
  t.notMatch(stderr, /PRIVATE KEY/);
});

onBothTransports('--json makes one JSON object of an error', async (t, transport) => {
  await using sshd = await startSshd({ knownHosts: 'changed' });
  const { code, stdout, stderr } = await viassh(['pipe', '--json', ...at(sshd, transport), '--', 'true']);
  t.strictSame({ code, stdout: stdout.length }, { code: 255, stdout: 0 });
  const { error } = JSON.parse(stderr) as { error: Record<string, string> };
  t.match(error, { code: 'HOST_KEY_CHANGED', kind: 'permanent', message: /changed/, hint: /ssh-keygen/ });
});

onBothTransports('-q says nothing but errors', async (t, transport) => {
  await using sshd = await startSshd({ knownHosts: 'empty' });
  const { code, stderr } = await viassh(['pipe', '-q', ...at(sshd, transport), '--', 'true']);
  t.equal(code, 255);
  t.match(stderr, /^viassh: .*\(HOST_KEY_UNKNOWN\)\n {2}hint: .*\n$/);
});

onBothTransports('no escape bytes where stderr is no terminal, whatever the level', async (t, transport) => {
  await using sshd = await startSshd({ authorize: false });
  for (const env of [{}, { NO_COLOR: '1' }, { TERM: 'xterm-256color', COLORTERM: 'truecolor' }]) {
    const { code, stderr } = await viassh(['pipe', '-vv', ...at(sshd, transport), '--', 'true'], { env });
    t.equal(code, 255);
    t.notMatch(stderr, escapes, JSON.stringify(env));
  }
});

onBothTransports('what the server says is shown without its control characters', async (t, transport) => {
  await using sshd = await startSshd({ config: ['Subsystem echo /bin/cat'], authorizedKeysOptions: 'command="cat"' });
  const bad = await viassh(['pipe', '-o', 'HostKeyAlias=\u001b[31mred', ...at(sshd, transport), '--', 'true']);
  t.equal(bad.code, 255);
  t.notMatch(bad.stderr, escapes);
});

onBothTransports(
  'options may stand before, behind and among the words, and ssh’s own are taken as ssh’s',
  async (t, transport) => {
    await using sshd = await startSshd();
    const file = sshd.configFile;
    const forms = [
      ['-F', file, '--transport', transport, 'pipe', 't', '--', 'echo in'],
      ['pipe', 't', `-F${file}`, `--transport=${transport}`, '--', 'echo in'],
      ['pipe', '-xaTCq', '-F', file, '-4', '--transport', transport, 't', '-oBatchMode=yes', '--', 'echo in'],
    ];
    for (const form of forms) {
      const { code, stdout, stderr } = await viassh(form);
      t.strictSame(
        { code, stdout: stdout.toString(), stderr },
        { code: 0, stdout: 'in\n', stderr: '' },
        form.slice(0, 3).join(' '),
      );
    }
  },
);

tidyTest(
  'usage errors: exit 64, one line with a hint, nothing on stdout',
  async (t) => {
    const cases: readonly (readonly [args: string[], says: RegExp])[] = [
      [[], /command is missing/],
      [['no-such-command'], /no-such-command/],
      [['pipe'], /destination is missing/],
      [['pipe', 'host', 'surplus'], /surplus/],
      [['pipe', 'host', '--no-such-option'], /no-such-option/],
      [['pipe', '-Z', 'host'], /-Z/],
      [['pipe', '-F'], /-F wants a value/],
      [['pipe', 'host', '--port'], /--port wants a value/],
      [['pipe', '--transport', 'carrier-pigeon', 'host'], /transport/],
      [['imap', 'host', '--timeout', 'soon'], /timeout|soon/],
      [['resolve'], /destination is missing/],
    ];
    await Promise.all(
      cases.map(async ([args, says]) => {
        const { code, stdout, stderr } = await viassh(args);
        t.strictSame({ code, stdout: stdout.toString() }, { code: 64, stdout: '' }, args.join(' '));
        t.match(stderr, /^viassh: .* \([A-Z_]+\)\n {2}hint: .*\n$/, args.join(' '));
        t.match(stderr, says, args.join(' '));
      }),
    );
  },
  false,
);

tidyTest(
  'help goes to stdout, exit 0, and teaches: every command with an example',
  async (t) => {
    for (const command of ['', 'pipe', 'imap', 'resolve', 'plugins', 'demo']) {
      const { code, stdout, stderr } = await viassh([...(command === '' ? [] : [command]), '--help']);
      t.strictSame({ code, stderr }, { code: 0, stderr: '' }, command);
      t.match(stdout.toString(), new RegExp(`^viassh ${command === '' ? 'COMMAND' : command}`), command);
      t.match(stdout.toString(), /--transport/, command);
      t.notMatch(stdout.toString(), escapes, command);
    }
    const version = await viassh(['--version']);
    t.match(version.stdout.toString(), /^\d+\.\d+\.\d+\n$/);
  },
  false,
);
