import process from 'node:process';
import type { PluginRegistry } from '@viassh/core';
import type { Environment } from '../../environment.ts';
import { installedCommands } from '../../installation.ts';
import { findInPath } from '../../programs/find-in-path.ts';
import { readBrokerConfig } from '../broker-config-file.ts';
import { type BrokerSituation, servicePath } from './broker-recipe.ts';

/** What is to be written into a service, from what this run was started in. */
export function brokerSituation(environment: Environment, plugins: PluginRegistry): BrokerSituation {
  const { variables } = environment;
  const { viassh } = installedCommands(variables);
  const { VIASSH_CONFIG: configFile, VIASSH_RUNTIME_DIR: runtimeFolder, VIASSH_STATE_DIR: stateFolder } = variables;
  return {
    viassh,
    path: servicePath(process.execPath, viassh.includes('/') ? undefined : findInPath(viassh, variables)),
    configFile: configFile === '' ? undefined : configFile,
    runtimeFolder: runtimeFolder === '' ? undefined : runtimeFolder,
    stateFolder: stateFolder === '' ? undefined : stateFolder,
    readOwnConfig: async ({ file, runtimeFolder: folder }) =>
      await readBrokerConfig(
        {
          variables: file === undefined ? variables : { ...variables, VIASSH_CONFIG: file },
          runtimeFolder: folder,
        },
        plugins,
      ),
  };
}
