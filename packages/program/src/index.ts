export { createProgramRunner } from './program-runner.ts';
