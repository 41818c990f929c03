import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import t from 'tap';
import { isMissing } from '../find-program.ts';

const skip = isMissing('unshare') || isMissing('ip') || (process.getuid?.() !== 0 && 'a network of its own needs root');

t.test(
  'addresses and routes of a real network come and go; those of a container that came and went do not',
  { skip },
  async (t) => {
    const { stdout } = await promisify(execFile)(
      'unshare',
      ['-n', process.execPath, '--conditions=@viassh/source', join(import.meta.dirname, 'change-own-network.ts')],
      { timeout: 20_000 },
    );
    const network = ['192.0.2.1 on d0', 'route 192.0.2.0/255.255.255.0 by 0.0.0.0 on d0, metric 0'];
    const gateway = 'route 0.0.0.0/0.0.0.0 by 192.0.2.254 on d0, metric 0';
    const ipv6 = [
      '2001:db8::1 on d0',
      'route 2001:db8::/64 by :: on d0, metric 256',
      'route 2001:db8::1/128 by :: on d0, metric 0',
    ];
    t.strictSame(
      stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
      [
        { gone: [], come: network },
        { gone: [], come: [gateway] },
        { gone: [], come: ipv6 },
        { gone: [...network, gateway, ...ipv6].toSorted(), come: [] },
      ],
    );
  },
);
