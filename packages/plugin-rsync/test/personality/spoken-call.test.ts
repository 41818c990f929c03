import { isViasshError } from '@viassh/core';
import t from 'tap';
import { readRemoteShellCall, type SpokenCall, spokenCall } from '../../src/personality/index.ts';

const speak = (...argv: string[]): SpokenCall => spokenCall(readRemoteShellCall(argv), 'this transport');

const tty = (...argv: string[]): string => speak(...argv).tty;

function refusal(...argv: string[]): string | undefined {
  try {
    speak(...argv);
    return undefined;
  } catch (error) {
    if (!isViasshError(error)) throw error;
    return `${error.code}: ${error.message}; ${error.hint ?? ''}`;
  }
}

t.test('what cannot be done is refused by name, with the way out', async (t) => {
  for (const option of [
    '-L1:h:2',
    '-R1:h:2',
    '-D1',
    '-w0',
    '-X',
    '-Y',
    '-M',
    '-S/s',
    '-Oexit',
    '-f',
    '-Qcipher',
    '-K',
    '-1',
    '-e~',
  ])
    t.match(
      refusal(option, 'host'),
      new RegExp(`^CAPABILITY_MISSING: this transport cannot do ${option.slice(0, 2)} .*VIASSH_TRANSPORT=openssh`),
      option,
    );
  for (const option of ['LocalForward=1 h:2', 'ForwardX11=yes', 'Tunnel=yes', 'ForkAfterAuthentication=yes'])
    t.match(refusal('-o', option, 'host'), /^CAPABILITY_MISSING: .*-o /, option);
});

t.test('what changes nothing here is accepted', async (t) => {
  for (const option of [
    '-x',
    '-a',
    '-enone',
    '-y',
    '-g',
    '-k',
    '-2',
    '-Snone',
    '-oForwardX11 no',
    '-oControlMaster=auto',
    '-oTunnel=no',
  ])
    t.equal(refusal(option, 'host'), undefined, option);
  t.equal(refusal('-oClearAllForwardings=yes', '-oLocalForward=1 h:2', 'host'), undefined);
});

t.test('of several values the one that ssh takes', async (t) => {
  const { typed } = speak(
    '-p1',
    '-p2',
    '-la',
    '-lb',
    '-F/1',
    '-F/2',
    '-4',
    '-6',
    '-a',
    '-A',
    '-i',
    'x',
    '-iy',
    '-C',
    'c@host:3',
  );
  t.match(typed, {
    port: 1,
    user: 'a',
    configFile: '/2',
    addressFamily: 'inet6',
    forwardAgent: true,
    identityFiles: ['x', 'y'],
    compression: true,
  });
  t.equal(speak('-oUser=a', 'b@host').typed.user, undefined);
  t.equal(speak('-oPort=1', 'host:2').typed.port, undefined);
  t.match(speak('b@host', '-la', '-oUser=c').typed, { user: 'b', options: [] });
  t.match(speak('-p1', '-oPort=2', 'host').typed, { port: 1, options: [] });
  t.match(speak('ssh://host:1', '-oPort=2', '-p3').typed, { port: 1, options: [] });
  t.match(speak('-oPort=2', '-p1', 'host').typed, { port: undefined, options: ['Port=2'] });
  t.strictSame(speak('-c', 'aes128-ctr', '-oCiphers=x', 'host').typed.options, ['Ciphers=aes128-ctr', 'Ciphers=x']);
  t.match(refusal('-Ja', '-Jb', 'host'), /^USAGE/);
});

t.test('-t, -tt, -T and RequestTTY', async (t) => {
  t.strictSame(
    [
      tty('h'),
      tty('h', 'ls'),
      tty('-t', 'h', 'ls'),
      tty('-tt', 'h', 'ls'),
      tty('-tT', 'h'),
      tty('-oRequestTTY=force', 'h', 'ls'),
    ],
    ['auto', 'no', 'yes', 'force', 'no', 'force'],
  );
});

t.test('-W and what is none', async (t) => {
  t.strictSame(speak('-W', '[::1]:25', 'h').forward, { host: '::1', port: 25 });
  t.strictSame(speak('-W', 'mail:25', 'h').forward, { host: 'mail', port: 25 });
  for (const place of ['mail', 'mail:', ':25', 'mail:70000', '::1:25'])
    t.match(refusal('-W', place, 'h'), /^OPTION_INVALID/, place);
  t.match(refusal('-p', '70000', 'h'), /^OPTION_INVALID/);
});

t.test('settings of -o that say what is asked for', async (t) => {
  t.match(speak('-oSessionType=none', 'h'), { mode: 'no-command' });
  t.match(speak('-oSessionType=subsystem', 'h', 'sftp'), { mode: 'subsystem', command: 'sftp' });
  t.match(speak('-oRemoteCommand=uptime', 'h'), { mode: 'exec', command: 'uptime' });
  t.match(speak('-oRemoteCommand=none', 'h'), { mode: 'shell', command: '' });
  t.match(speak('-oStdinNull=yes', '-vvq', '-E/log', 'h'), { noStdin: true, verbose: 2, quiet: true, logFile: '/log' });
});
