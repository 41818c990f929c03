import t from 'tap';
import { knownHostsName } from '@viassh/core';

t.test('known_hosts has the bare name for port 22 alone', async (t) => {
  t.equal(knownHostsName({ hostName: 'host', port: 22 }), 'host');
  t.equal(knownHostsName({ hostName: '::1', port: 22 }), '::1');
  t.equal(knownHostsName({ hostName: 'host', port: 2222 }), '[host]:2222');
});

t.test('an alias stands for name and port', async (t) => {
  t.equal(knownHostsName({ hostKeyAlias: 'alias', hostName: 'host', port: 2222 }), 'alias');
});
