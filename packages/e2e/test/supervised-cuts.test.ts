import { seeded } from '../soak/soak-bench.ts';
import { onBothTransports } from './both-transports.ts';
import { allowedOutcomes, manyCuts } from './supervised-cuts.ts';

onBothTransports(
  'a wire that is cut again and again under load: all ways carry again, nothing is left',
  async (t, transport) => {
    const { counts, times, samePlace } = await manyCuts(transport, { cuts: 6, chance: seeded(2) });
    t.comment(`${transport}: ${JSON.stringify(counts)} ${JSON.stringify(times)}`);
    t.ok((counts['ok'] ?? 0) > 6);
    t.strictSame(
      Object.keys(counts).filter((outcome) => !allowedOutcomes.includes(outcome)),
      [],
    );
    t.ok(samePlace, 'the remote forward has its port');
  },
);
