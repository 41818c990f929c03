import { onBothTransports } from './both-transports.ts';
import { suspendedFor } from './suspended.ts';

onBothTransports('suspended while the wire goes dead, without keepalives: up again after the wake', (t, transport) =>
  suspendedFor(t, transport, 3500),
);
