import type { NetworkChange, NetworkWatch } from './watch-network.ts';

/** One watch for many supervisors: it looks while there is one, and tells all of them. */
export function shareNetworkWatch(watch: NetworkWatch): NetworkWatch {
  const listeners = new Set<(change: NetworkChange) => void>();
  let own: Disposable | undefined;
  return (changed) => {
    const listener = (change: NetworkChange): void => changed(change);
    listeners.add(listener);
    own ??= watch((change) => {
      for (const each of Array.from(listeners)) each(change);
    });
    return {
      [Symbol.dispose]() {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        own?.[Symbol.dispose]();
        own = undefined;
      },
    };
  };
}
