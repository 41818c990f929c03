import t from 'tap';
import { forwardedAgent, knownHostsName } from '@viassh/core';

t.test('known_hosts has the bare name for port 22 alone', async (t) => {
  t.equal(knownHostsName({ hostName: 'host', port: 22 }), 'host');
  t.equal(knownHostsName({ hostName: '::1', port: 22 }), '::1');
  t.equal(knownHostsName({ hostName: 'host', port: 2222 }), '[host]:2222');
});

t.test('an alias stands for name and port', async (t) => {
  t.equal(knownHostsName({ hostKeyAlias: 'alias', hostName: 'host', port: 2222 }), 'alias');
});

t.test('the agent that is forwarded: the one named, or ours, or none where we have none', async (t) => {
  t.equal(forwardedAgent({ forwardAgent: false, identityAgent: '/ours' }), undefined);
  t.equal(forwardedAgent({ forwardAgent: true, identityAgent: '/ours' }), '/ours');
  t.equal(forwardedAgent({ forwardAgent: true }), undefined);
  t.equal(forwardedAgent({ forwardAgent: '/other', identityAgent: '/ours' }), '/other');
});
