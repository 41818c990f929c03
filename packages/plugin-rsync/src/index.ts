export { readRemoteShellCall, type RemoteShellCall, type RemoteShellSituation } from './personality/index.ts';
export { cvsProgram } from './programs/cvs.ts';
export { gitProgram } from './programs/git.ts';
export { rsyncProgram } from './programs/rsync.ts';
export { scpProgram } from './programs/scp.ts';
export { sftpProgram } from './programs/sftp.ts';
export { uucpProgram } from './programs/uucp.ts';
export { moreRecipes } from './recipes/more-recipes.ts';
