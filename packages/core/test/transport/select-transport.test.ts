import { type SinonStub, assert, stub } from 'sinon';
import t from 'tap';
import {
  type Availability,
  type Capability,
  capabilities,
  selectTransport,
  type Transport,
  type TransportEntry,
} from '@viassh/core';

const here: Availability = { ok: true, detail: 'ssh 9.9 is in PATH' };
const notHere: Availability = { ok: false, reason: 'no ssh in PATH' };

function entry(
  name: string,
  can: readonly Capability[],
  available: Availability = { ok: true, detail: `${name} is built in` },
): TransportEntry & { readonly connect: SinonStub } {
  const connect = stub().throws(new Error('nothing may be dialled'));
  const transport = {
    name,
    capabilities: new Set(can),
    available: async () => available,
    connect,
  } as unknown as Transport;
  return { name, load: async () => transport, connect };
}

t.test('auto takes the first that runs here and says why', async (t) => {
  const { transport, reason } = await selectTransport(
    [entry('openssh', ['exec'], here), entry('ssh2', ['exec'])],
    'auto',
    ['exec'],
  );
  t.equal(transport.name, 'openssh');
  t.equal(reason, 'ssh 9.9 is in PATH');
});

t.test('auto passes over what cannot run here, and says so', async (t) => {
  const { transport, reason } = await selectTransport(
    [entry('openssh', ['exec'], notHere), entry('ssh2', ['exec'])],
    'auto',
    ['exec'],
  );
  t.equal(transport.name, 'ssh2');
  t.equal(reason, 'openssh: no ssh in PATH; ssh2 is built in');
});

t.test('auto passes over what cannot do it, and says so', async (t) => {
  const { transport, reason } = await selectTransport(
    [entry('openssh', ['exec'], here), entry('ssh2', ['exec', 'pty'])],
    'auto',
    ['exec', 'pty'],
  );
  t.equal(transport.name, 'ssh2');
  t.match(reason, /openssh cannot do pty/);
});

t.test('auto does not load what it does not need', async (t) => {
  const load = stub().rejects(new Error('must not be loaded'));
  t.equal(
    (await selectTransport([entry('openssh', [], here), { name: 'ssh2', load }], 'auto', [])).transport.name,
    'openssh',
  );
  assert.notCalled(load);
});

t.test('auto where nothing runs tells every reason', async (t) => {
  await t.rejects(selectTransport([entry('openssh', ['exec'], notHere), entry('ssh2', [], here)], 'auto', ['exec']), {
    code: 'TRANSPORT_UNAVAILABLE',
    message: /openssh: no ssh in PATH; ssh2 cannot do exec/,
    hint: /OpenSSH/,
  });
  await t.rejects(selectTransport([], 'auto', []), { code: 'TRANSPORT_UNAVAILABLE' });
});

t.test('auto where no transport can do it is no matter of installing one', async (t) => {
  await t.rejects(selectTransport([entry('openssh', ['exec'], here), entry('ssh2', ['exec'])], 'auto', ['pty']), {
    code: 'CAPABILITY_MISSING',
    message: /openssh cannot do pty; ssh2 cannot do pty/,
  });
});

t.test('the one asked for is taken, though another comes first', async (t) => {
  const { transport, reason } = await selectTransport([entry('openssh', [], here), entry('ssh2', [])], 'ssh2', []);
  t.equal(transport.name, 'ssh2');
  t.equal(reason, 'asked for; ssh2 is built in');
});

t.test('the one asked for that cannot run here is an error, not another transport', async (t) => {
  await t.rejects(selectTransport([entry('openssh', [], notHere), entry('ssh2', [])], 'openssh', []), {
    code: 'TRANSPORT_UNAVAILABLE',
    message: /openssh.*no ssh in PATH/,
    hint: /--transport/,
  });
});

t.test('a missing capability names the transport that has it, before anything is dialled', async (t) => {
  const all = [entry('openssh', ['exec', 'pty'], here), entry('ssh2', ['exec'])];
  await t.rejects(selectTransport(all, 'ssh2', ['exec', 'pty']), {
    code: 'CAPABILITY_MISSING',
    message: 'the ssh2 transport cannot do pty',
    hint: 'use --transport openssh',
  });
  await t.rejects(selectTransport(all, 'ssh2', ['pty', 'signal']), {
    code: 'CAPABILITY_MISSING',
    hint: /no transport/,
  });
  for (const { connect } of all) assert.notCalled(connect);
});

t.test('a name that is not there lists those that are', async (t) => {
  await t.rejects(selectTransport([entry('openssh', []), entry('ssh2', [])], 'putty', []), {
    code: 'OPTION_INVALID',
    message: /'putty'/,
    hint: 'use one of: auto, openssh, ssh2',
  });
});

t.test('the list of capabilities has each once', async (t) => {
  t.equal(new Set(capabilities).size, capabilities.length);
});
