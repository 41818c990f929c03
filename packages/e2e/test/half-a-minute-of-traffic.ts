import { randomInt } from 'node:crypto';
import process from 'node:process';
import { onBothTransports } from './both-transports.ts';
import { mixedTraffic } from './forward-traffic.ts';

const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? randomInt(2 ** 31));

onBothTransports(
  'half a minute of mixed traffic with clients that die: all is whole, nothing stays',
  async (t, transport) => {
    t.comment(`VIASSH_SOAK_SEED=${seed}`);
    await mixedTraffic(t, transport, { ms: 24_000, seed });
  },
);
