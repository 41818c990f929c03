import { onBothTransports } from '../test/both-transports.ts';
import { suspendedFor } from '../test/suspended.ts';

onBothTransports('a minute of sleep, and the wire goes dead meanwhile: up again after the wake', (t, transport) =>
  suspendedFor(t, transport, 60_000),
);
