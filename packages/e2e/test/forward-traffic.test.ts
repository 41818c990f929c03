import { runInOwnNetwork } from './own-network.ts';

await runInOwnNetwork(new URL('./half-a-minute-of-traffic.ts', import.meta.url));
