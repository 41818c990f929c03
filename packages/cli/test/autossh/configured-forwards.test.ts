import t from 'tap';
import { allForwards } from '../../src/autossh/configured-forwards.ts';

const typed = { local: ['1:a:2'], remote: [], dynamic: ['3'], gatewayPorts: false };

t.test('forwards of ssh_config, as ssh -G prints them, stand beside those that were typed', async (t) => {
  const settings = new Map([
    ['localforward', ['8080 [localhost]:80', '[::1]:8081 [::2]:80', '/tmp/a /tmp/b']],
    ['remoteforward', ['9000 [socks]:0', '/tmp/x [localhost]:3']],
    ['dynamicforward', ['/tmp/a', '1080', '[*]:1081']],
  ]);
  t.strictSame(allForwards(typed, settings), {
    local: ['1:a:2', '8080:[localhost]:80', '[::1]:8081:[::2]:80', '/tmp/a:/tmp/b'],
    remote: ['9000', '/tmp/x:[localhost]:3'],
    dynamic: ['3', '1080', '[*]:1081'],
    gatewayPorts: false,
  });
});

t.test('ClearAllForwardings is for all of them', async (t) => {
  const cleared = allForwards(
    typed,
    new Map([
      ['clearallforwardings', ['yes']],
      ['localforward', ['1 [a]:2']],
    ]),
  );
  t.strictSame(cleared, { local: [], remote: [], dynamic: [], gatewayPorts: false });
});
