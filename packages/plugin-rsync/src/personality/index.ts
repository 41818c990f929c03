export { type OptionRow, optionPolicy, type Setting } from './option-policy.ts';
export {
  readRemoteShellCall,
  type RemoteShellCall,
  type RemoteShellMode,
  type RemoteShellSituation,
} from './remote-shell-call.ts';
export type { SshOption } from './ssh-getopt.ts';
export { type SpokenCall, spokenCall } from './spoken-call.ts';
