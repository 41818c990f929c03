import t from 'tap';
import { type BrokerConfig, configFaults, loadBrokerConfig, type TunnelConfig } from '@viassh/broker';
import { isViasshError } from '@viassh/core';
import { pluginsForConfig } from './registry.ts';

const runtimeFolder = '/run/user/1000/viassh';

function load(text: string): Promise<BrokerConfig> {
  return loadBrokerConfig('config.yaml', text, { plugins: pluginsForConfig(), runtimeFolder });
}

async function tunnel(text: string): Promise<TunnelConfig | undefined> {
  return (await load(`tunnels:\n  it: ${text}\n`)).tunnels.get('it');
}

/** The faults, without the name of the file. */
async function faultsOf(text: string): Promise<readonly string[]> {
  const error: unknown = await load(text).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isViasshError(error, 'CONFIG_INVALID')) throw new Error(`it was taken, or ended with ${String(error)}`);
  return configFaults(error).map((line) => line.replace(/^config\.yaml:/, ''));
}

t.test('an empty file, and one that has only comments, is all defaults', async (t) => {
  for (const text of ['', '# nothing yet\n', 'tunnels:\n', '{}'])
    t.strictSame(await load(text), { share: 'yes', idle: 600, tunnels: new Map() });
});

t.test('the three ways to write a tunnel', async (t) => {
  const loaded: string[] = [];
  const { tunnels, ...rest } = await loadBrokerConfig(
    'config.yaml',
    `share: auto
idle: 60
metrics: unix:metrics.sock
tunnels:
  mail:     { via: jfranken@gate, plugin: imap, command: /usr/local/bin/imapd, listen: unix:mail.sock }
  web:      { via: gate, forward: local, listen: 127.0.0.1:4321, to: www.ibm.com:80 }
  intranet: { via: gate, forward: remote, listen: 9030, to: intranet:80 }
  raw:      { via: gate, plugin: pipe, command: imapd -x, listen: unix:raw.sock, ssh: [-i, /k], keepalive: 0, manual: true, wait: 0 }
`,
    { plugins: pluginsForConfig(loaded), runtimeFolder },
  );
  t.strictSame(rest, { share: 'auto', idle: 60, metrics: `unix:${runtimeFolder}/metrics.sock` });
  t.strictSame([...tunnels.keys()], ['mail', 'web', 'intranet', 'raw']);
  t.strictSame(tunnels.get('mail'), {
    via: 'jfranken@gate',
    ssh: [],
    plugin: 'imap',
    options: { command: '/usr/local/bin/imapd', listen: `unix:${runtimeFolder}/mail.sock` },
    words: [],
    listensAt: [`unix:${runtimeFolder}/mail.sock`],
    lazy: true,
    manual: false,
    wait: 30,
    line: 5,
  });
  t.match(tunnels.get('web'), {
    plugin: 'forward',
    options: { local: ['127.0.0.1:4321:www.ibm.com:80'] },
    listensAt: ['tcp:127.0.0.1:4321'],
    lazy: true,
    line: 6,
  });
  t.match(tunnels.get('intranet'), { plugin: 'forward', options: { remote: ['9030:intranet:80'] }, lazy: false });
  t.match(tunnels.get('raw'), {
    plugin: 'pipe',
    words: ['imapd -x'],
    listen: `unix:${runtimeFolder}/raw.sock`,
    ssh: ['-i', '/k', '-o', 'ServerAliveInterval=0'],
    manual: true,
    wait: 0,
  });
  t.notOk(loaded.includes('smtp'), 'a plugin that the file does not name is not loaded');
});

t.test('every forward comes out as ssh writes it', async (t) => {
  const forwards: readonly (readonly [string, Record<string, readonly string[]>, boolean?])[] = [
    ['forward: local, listen: 8080, to: 80', { local: ['8080:localhost:80'] }],
    ['forward: local, listen: tcp:8080, to: "tcp:[::1]:80"', { local: ['8080:[::1]:80'] }],
    ['forward: local, listen: "[::1]:0", to: unix:/run/d.sock', { local: ['[::1]:0:/run/d.sock'] }],
    ['forward: local, listen: "*:8080", to: h:80', { local: ['*:8080:h:80'] }],
    ['forward: local, listen: "unix:a:b", to: h:80', { local: [`${runtimeFolder}/a\\:b:h:80`] }],
    ['forward: remote, listen: "*:80", to: unix:app.sock', { remote: [`*:80:${runtimeFolder}/app.sock`] }, false],
    ['forward: remote, listen: unix:/tmp/x, to: 22', { remote: ['/tmp/x:localhost:22'] }, false],
    ['forward: remote, listen: 1080', { remote: ['1080'] }, false],
    ['forward: dynamic, listen: 1080', { dynamic: ['1080'] }],
    ['forward: http, listen: unix:/tmp/p', { http: ['/tmp/p'] }],
    ['plugin: forward, local: 8080:h:80', { local: '8080:h:80' } as never],
    ['plugin: forward, remote: [9030:h:80]', { remote: ['9030:h:80'] }, false],
    ['plugin: forward, dynamic: [1080], remote: [9030:h:80]', { dynamic: ['1080'], remote: ['9030:h:80'] }, false],
  ];
  for (const [text, options, lazy = true] of forwards)
    t.match(await tunnel(`{ via: gate, ${text} }`), { plugin: 'forward', options, lazy }, text);
});

t.test('numbers where text is wanted are taken as they were written', async (t) => {
  t.match(await tunnel('{ via: g, plugin: imap, to: 0143, listen: 01143, words: [] }'), {
    options: { to: '0143', listen: 'tcp:127.0.0.1:1143' },
  });
  t.match(await tunnel('{ via: g, plugin: pipe, words: [sleep, 1e1], listen: 99, ssh: [-p, 0022] }'), {
    words: ['sleep', '1e1'],
    ssh: ['-p', '0022'],
  });
});

t.test('parts that are repeated by name', async (t) => {
  const { tunnels } = await load(`tunnels:
  a: { via: g, plugin: pipe, command: x, listen: 1, probe: &probe { kind: banner, every: 5 } }
  b: { via: g, plugin: pipe, command: x, listen: 2, probe: *probe }
`);
  t.strictSame(tunnels.get('b')?.probe, { kind: 'banner', every: 5, timeout: 10 });
  t.strictSame(await faultsOf('tunnels:\n  a: &a\n    via: g\n    plugin: imap\n    listen: *a\n'), [
    '5:13 *a stands in itself',
  ]);
  t.strictSame(await faultsOf('tunnels: *nothing\n'), ['1:10 nothing before it is named &nothing']);
  const bomb = Array.from({ length: 9 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at}, `.repeat(9)}]\n`).join('');
  t.match(await faultsOf(`l0: &l0 [x]\n${bomb}`), [/repeats parts of itself too often/]);
});

t.test('all faults of a file are told at once, with line, column and key, in its order', async (t) => {
  const text = `shared: yes
idle: -1
via: gate
tunnels:
  web:
    via: gate
    forward: locl
    listen: 8080
    to: h:80
  -x: { via: g, plugin: imap, listen: 1 }
  mail:
    vai: gate
    plugin: imap
    greeting-timeout: 5
  more:
    via: -oProxyCommand=x
    plugin: imapp
  mute: { via: g, plugin: imap }
  slow: { via: g, plugin: imap, listen: 1, greetingTimeout: slow, wait: [1] }
`;
  t.strictSame(await faultsOf(text), [
    "1:1 shared: there is no such key; did you mean 'share'?",
    '2:7 idle: it is at least 0, not -1',
    '3:1 via: there is no such key; it belongs into a tunnel below tunnels',
    "7:14 tunnels.web.forward: it takes local, remote, dynamic or http, not 'locl'; did you mean 'local'?",
    '10:3 tunnels.-x: a name has letters, digits, dots, dashes and underscores, at most 64, and begins with a letter or a digit',
    '11:3 tunnels.mail: it has no via',
    "12:5 tunnels.mail.vai: neither a tunnel nor imap has such a key; did you mean 'via'?",
    "14:5 tunnels.mail.greeting-timeout: neither a tunnel nor imap has such a key; did you mean 'greetingTimeout'?",
    "16:10 tunnels.more.via: not a destination: '-oProxyCommand=x': it begins with a dash",
    "17:13 tunnels.more.plugin: there is no plugin 'imapp'; did you mean 'imap'?",
    '18:3 tunnels.mute: imap wants listen here: without it, it serves one client on stdin and stdout',
    "19:61 tunnels.slow.greetingTimeout: it wants a number from 0.01 to 86400, not 'slow'",
    '19:73 tunnels.slow.wait: it wants a number, not a list',
  ]);
});

t.test('faults of a tunnel that a schema cannot see', async (t) => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    ['{ via: g }', '1:11 tunnels.it: it says neither plugin nor forward'],
    ['{ via: g, plugin: imap, forward: local }', /1:39 tunnels.it.forward: forward stands in place of plugin/],
    ['{ via: g, plugin: imap, listen: 1, greeting-timeout: 5 }', /did you mean 'greetingTimeout'\?/],
    ['{ via: g, plugin: imap, listen: 1, vai: 5 }', /neither a tunnel nor imap has such a key; did you mean 'via'\?/],
    ['{ via: g, plugin: imap, listen: 1, greetingTimeout: x }', /greetingTimeout: it wants a number from 0.01 to/],
    ['{ via: g, plugin: imap, listen: 1, orLocal: true }', /tunnels.it: orLocal does not go with listen/],
    ['{ via: g, plugin: imap, listen: here }', /1:47 tunnels.it.listen: this is no place to listen on: 'here'/],
    [`{ via: g, plugin: imap, listen: "unix:${'x'.repeat(200)}" }`, /listen: the path of the socket has more than/],
    ['{ via: g, plugin: imap, listen: 1, lazy: 1 }', /lazy: it wants true or false, not 1/],
    ['{ via: g, forward: local, listen: 1 }', /tunnels.it: forward: local wants to/],
    ['{ via: g, forward: local, to: 1 }', /tunnels.it: forward: local wants listen/],
    ['{ via: g, forward: dynamic, listen: 1, to: 2 }', /1:58 tunnels.it.to: with forward: dynamic each client says/],
    ['{ via: g, forward: local, listen: 1, to: "h:x" }', /tunnels.it.to: this is nothing to dial: 'h:x'/],
    ['{ via: g, forward: local, listen: 1, to: "h:99999" }', /port/],
    ['{ via: g, forward: local, listen: 1, to: unix:x }', /a socket of the far end is named by its whole path/],
    ['{ via: g, forward: remote, listen: unix:x, to: 1 }', /1:50 tunnels.it.listen: a socket of the far end/],
    ['{ via: g, forward: remote, listen: 1, to: 1, lazy: true }', /lazy: nobody on this machine could ask for it/],
    ['{ via: g, forward: local, listen: 1, to: 1, local: [1:h:1] }', /local: forward: local says it already/],
    ['{ via: g, plugin: forward, stdio: h:1 }', /forward serves one call and ends: it is nothing for a tunnel/],
    ['{ via: g, plugin: pipe, listen: 1 }', /pipe wants command/],
    ['{ via: g, plugin: pipe, command: x }', /pipe wants listen/],
    ['{ via: g, plugin: pipe, command: x, listen: 1, words: [y] }', /command and words are two ways/],
    ['{ via: g, plugin: pipe, command: x, listen: 1, listne: 2 }', /nor pipe has such a key; did you mean 'listen'/],
    ['{ via: g, plugin: pipe, command: x, listen: 1, probe: { kind: command } }', /probe: kind: command wants command/],
    ['{ via: g, plugin: pipe, command: x, listen: 1, probe: { kind: http, command: x } }', /http runs no command/],
    ['{ via: g, plugin: pipe, command: x, listen: 1, probe: { kind: htpt } }', /did you mean 'http'\?/],
    ['{ via: g, plugin: pipe, command: x, listen: unix:control.sock }', /the broker itself listens there already/],
    ['[1]', /tunnels.it: it wants keys with values, not a list/],
    ['', /tunnels.it: it wants keys with values, not nothing/],
    ['{ via: g, plugin: imap, listen: 1, __proto__: { wait: 1 } }', /tunnels.it/],
    ['{ via: g, plugin: imap, listen: 1, constructor: 1 }', /has such a key/],
  ];
  for (const [text, expected] of cases) {
    const faults = await faultsOf(`tunnels: {it: ${text}}`);
    t.equal(faults.length, 1, `${text}: ${faults.join(' | ')}`);
    t.match(faults[0], expected, text);
  }
});

function text(second: string): string {
  return `tunnels:
  a: { via: g, forward: local, listen: 8080, to: 1 }
  b: { via: g, ${second} }
`;
}

t.test('nobody listens where somebody of the file does already', async (t) => {
  t.strictSame(await faultsOf(text('plugin: imap, listen: tcp:localhost:8080')), [
    '3:38 tunnels.b.listen: tunnel a listens there already',
  ]);
  t.strictSame(await faultsOf(`metrics: 8080\n${text('plugin: imap, listen: 1')}`), [
    '3:40 tunnels.a.listen: metrics listens there already',
  ]);
  t.ok(await load(text('plugin: imap, listen: tcp:127.0.0.2:8080')));
  t.ok(await load(text('plugin: imap, listen: 0').replace('8080', '0')), 'two that take any port that is free');
  t.ok(await load(text('forward: remote, listen: 8080, to: 1')), 'there is another machine');
});

t.test('tunnels are in the order of the file, whatever their names look like', async (t) => {
  const pipes = ['zebra', '9', 'constructor', '1', 'a'].map(
    (name, at) => `  ${name}: { via: g, plugin: pipe, command: x, listen: ${at + 1} }\r\n`,
  );
  const { tunnels } = await load(`\ufefftunnels:\r\n${pipes.join('')}`);
  t.strictSame([...tunnels.keys()], ['zebra', '9', 'constructor', '1', 'a']);
});

t.test('metrics are for this machine', async (t) => {
  t.match(await faultsOf('metrics: 0.0.0.0:9100'), [/^1:10 metrics: others than this machine could read them/]);
  t.match(await faultsOf('metrics: host:9100'), [/others than this machine/]);
  t.match(await load('metrics: 9100'), { metrics: 'tcp:127.0.0.1:9100' });
  t.match(await load('metrics: "[::1]:9100"'), { metrics: 'tcp:[::1]:9100' });
});

t.test('what is no YAML is told where it ends to be', async (t) => {
  t.strictSame(await faultsOf('idle: 1\nidle: 2\n'), ['2:1 this key is here a second time']);
  t.strictSame(await faultsOf('idle: 1\n---\nidle: 2\n'), [
    '2:1 a second document (---) begins here: the file may have one',
  ]);
  t.match(await faultsOf('tunnels:\n  a: {\n'), [/^\d+:\d+ this is no YAML: /]);
  t.match(await faultsOf('\tidle: 1\n'), [/^1:1 this is no YAML: /]);
  for (const tag of ['!!js/function', '!!binary', '!!set', '!mine'])
    t.strictSame(await faultsOf(`idle: ${tag} x`), ['1:7 a value with a type of its own (!) is nothing for this file']);
  t.match(await faultsOf('just words'), [/^1:1 it wants keys with values, not 'just words'$/]);
  t.match(await faultsOf('- a'), [/it wants keys with values/]);
  for (const noise of [
    '\u0000\u0001',
    '? a\n? b',
    '[[[[',
    '"\\x',
    '{'.repeat(5000),
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  ]) {
    const faults = await faultsOf(noise);
    t.ok(faults.length > 0 && faults.length <= 10, `${JSON.stringify(noise.slice(0, 9))}: ${faults.join(' | ')}`);
  }
});

t.test('one fault is the message itself; of several there is a count, and each one in a list', async (t) => {
  const [one, two] = await Promise.all(
    ['idle: x', 'idle: x\nshare: perhaps'].map((text) => load(text).catch((error: unknown) => error)),
  );
  t.match(one, { message: "config.yaml:1:7 idle: it wants a number, not 'x'", hint: /nothing of it is used/ });
  t.match(two, { message: /^config\.yaml has 2 faults: 1:7 idle: .*; 2:8 share: / });
  t.equal(configFaults(two).length, 2);
  t.strictSame(configFaults(new Error('another')), []);
});
