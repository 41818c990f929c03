import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** `$VIASSH_CONFIG`, or `viassh/config.yaml` below `$XDG_CONFIG_HOME` or `~/.config`. */
export function brokerConfigFile({ VIASSH_CONFIG: own, XDG_CONFIG_HOME: xdg }: NodeJS.ProcessEnv): string {
  if (own !== undefined && own !== '') return own;
  const folder = xdg !== undefined && isAbsolute(xdg) ? xdg : join(userInfo().homedir, '.config');
  return join(folder, 'viassh', 'config.yaml');
}

/**
 * Is there a line `share: auto` in the configuration? Each command looks: no YAML is read for it, and no pipe, which would
 * wait for a writer.
 */
export function asksForSharing(variables: NodeJS.ProcessEnv): boolean {
  try {
    const file = brokerConfigFile(variables);
    if (!statSync(file).isFile()) return false;
    return /^[{\s]*["']?share["']?\s*:\s*["']?auto\b/m.test(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
}
