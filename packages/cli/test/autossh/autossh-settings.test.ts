import t from 'tap';
import { readAutosshSettings } from '../../src/autossh/autossh-settings.ts';

const none = { monitor: undefined, background: false };

t.test('what is not said is as with autossh', async (t) => {
  t.strictSame(readAutosshSettings({}, none), {
    gateMs: 30_000,
    poll: { firstMs: 600_000, everyMs: 600_000 },
    longestWaitMs: 600_000,
    maxStarts: undefined,
    maxLifetimeMs: undefined,
    level: undefined,
    debug: false,
    logFile: undefined,
    pidFile: undefined,
    sshFile: undefined,
    notes: [],
  });
});

t.test('each variable counts', async (t) => {
  const variables = {
    AUTOSSH_GATETIME: '2.5',
    AUTOSSH_POLL: '60',
    AUTOSSH_FIRST_POLL: '10',
    AUTOSSH_MAXSTART: '3',
    AUTOSSH_MAXLIFETIME: '3600',
    AUTOSSH_LOGLEVEL: '4',
    AUTOSSH_LOGFILE: '/tmp/log',
    AUTOSSH_PIDFILE: '/tmp/pid',
    AUTOSSH_PATH: '/usr/bin/ssh',
    AUTOSSH_MESSAGE: 'hello',
    AUTOSSH_PORT: '20000',
  };
  const { notes, ...settings } = readAutosshSettings(variables, none);
  t.strictSame(settings, {
    gateMs: 2500,
    poll: { firstMs: 10_000, everyMs: 60_000 },
    longestWaitMs: 60_000,
    maxStarts: 3,
    maxLifetimeMs: 3_600_000,
    level: 'warning',
    debug: false,
    logFile: '/tmp/log',
    pidFile: '/tmp/pid',
    sshFile: '/usr/bin/ssh',
  });
  t.match(notes, [/no port 20000 is opened/, /AUTOSSH_MESSAGE is sent nowhere/]);
});

t.test(
  '-f takes the gate away, -M 0 the probes, a short life the long polls; -M goes before AUTOSSH_PORT',
  async (t) => {
    t.equal(readAutosshSettings({ AUTOSSH_GATETIME: '30' }, { ...none, background: true }).gateMs, 0);
    t.equal(readAutosshSettings({ AUTOSSH_PORT: '20000' }, { ...none, monitor: '0' }).poll, undefined);
    t.equal(readAutosshSettings({ AUTOSSH_PORT: '0' }, none).poll, undefined);
    t.strictSame(readAutosshSettings({ AUTOSSH_MAXLIFETIME: '5' }, none).poll, { firstMs: 5000, everyMs: 5000 });
    t.equal(readAutosshSettings({ AUTOSSH_MAXSTART: '-1' }, none).maxStarts, undefined);
    t.match(readAutosshSettings({ AUTOSSH_DEBUG: '', AUTOSSH_LOGLEVEL: '0' }, none), { level: 'debug', debug: true });
  },
);

t.test('a value that autossh refuses is refused, by the name of its variable', async (t) => {
  const bad = {
    AUTOSSH_GATETIME: ['x', '-3', ' '],
    AUTOSSH_POLL: ['x', '0'],
    AUTOSSH_FIRST_POLL: ['0'],
    AUTOSSH_MAXSTART: ['x'],
    AUTOSSH_MAXLIFETIME: ['x', '-1'],
    AUTOSSH_LOGLEVEL: ['9', 'info', '1.5'],
    AUTOSSH_MESSAGE: ['x'.repeat(65)],
    AUTOSSH_PORT: ['x', '99999', '1:', '1:99999'],
  };
  for (const [name, values] of Object.entries(bad))
    for (const value of values)
      t.throws(
        () => readAutosshSettings({ [name]: value }, none),
        { code: 'OPTION_INVALID', message: new RegExp(`^${name} `), hint: /./ },
        `${name}=${value}`,
      );
  t.throws(() => readAutosshSettings({}, { ...none, monitor: 'x' }), { message: /^-M wants/ });
});
