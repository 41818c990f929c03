import { runInOwnNetwork } from './own-network.ts';

await runInOwnNetwork(new URL('./many-connections.ts', import.meta.url));
