import type { TypedForwards } from './autossh-call.ts';

type Settings = ReadonlyMap<string, readonly string[]>;

/**
 * What was typed, and what ssh_config says beside it, as `ssh -G` prints it: `8080 [localhost]:80`, `9000 [socks]:0`.
 * Nothing of both with ClearAllForwardings.
 */
export function allForwards(typed: TypedForwards, settings: Settings): TypedForwards {
  if (settings.get('clearallforwardings')?.[0] === 'yes') return { ...typed, local: [], remote: [], dynamic: [] };
  const all = (name: string): (readonly [listen: string, to: string])[] =>
    (settings.get(name) ?? []).map((value) => {
      const [listen = '', to = ''] = value.trim().split(/\s+/);
      return [listen, to];
    });
  const local = all('localforward');
  // dump_cfg_forwards() of ssh takes a local forward to a path for a dynamic one as well.
  const paths = new Set(local.flatMap(([listen, to]) => (to.startsWith('/') ? [listen] : [])));
  return {
    ...typed,
    local: [...typed.local, ...local.map(([listen, to]) => `${listen}:${to}`)],
    remote: [
      ...typed.remote,
      ...all('remoteforward').map(([listen, to]) => (to === '' || to === '[socks]:0' ? listen : `${listen}:${to}`)),
    ],
    dynamic: [...typed.dynamic, ...all('dynamicforward').flatMap(([listen]) => (paths.has(listen) ? [] : [listen]))],
  };
}
