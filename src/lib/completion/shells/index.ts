import type {Shell} from '../reply.ts'
import {BASH} from './bash.ts'
import {FISH} from './fish.ts'
import {POWERSHELL} from './powershell.ts'
import {ZSH} from './zsh.ts'

/** The completion script of each shell; all it knows is how to ask `atomctl __complete`. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL}
