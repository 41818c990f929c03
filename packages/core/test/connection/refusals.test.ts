import t from 'tap';
import { channelRefused } from '../../src/connection/refusals.ts';

t.test('a refusal whose reason nobody passed on says so, and hints at all that it can be', async (t) => {
  const opening = { type: 'direct-tcpip', host: 'db', port: 5432 } as const;
  const unknown = channelRefused(opening, undefined, 'no answer');
  t.equal(unknown.message, 'the server refused a channel to db port 5432: reason unknown: no answer');
  t.match(unknown.hint, /not be reachable from the server, or .*AllowTcpForwarding/);
  t.match(channelRefused(opening, 1, 'open failed'), {
    message: /: administratively prohibited$/,
    hint: /^sshd_config/,
  });
});
