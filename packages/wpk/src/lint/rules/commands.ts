import type {Finding} from '../../document/finding.ts'
import {issue} from '../catalogue.ts'
import type {Subjects} from '../subjects.ts'
import {commandsIn, inOrder} from './command-line.ts'

export function findDestructiveCommands({commands}: Subjects): Finding[] {
  return commands.flatMap(({value, path}) => {
    const found = commandsIn(value).find(isDestructive)
    if (!found) return []
    return [issue('destructive_command', path, `The command can destroy the machine: ${found.join(' ').slice(0, 60)}`)]
  })
}

const ENDING = new Set(['shutdown', 'reboot', 'halt', 'poweroff', 'fdisk'])

function isDestructive([program = '', ...words]: string[]): boolean {
  const name = program.slice(program.lastIndexOf('/') + 1)
  if (name === 'rm') return removesRoots(words)
  if (name === 'dd') return words.some((word) => /^of=\/dev\/(?!null$|zero$|stdout$)/.test(word))
  return ENDING.has(name) || name.startsWith('mkfs')
}

/** The root, a top-level directory of the system, or a home: alone or with everything in it. */
const ROOTS =
  /^(?:\/|~|\$HOME|\$\{HOME\}|\/(?:bin|boot|dev|etc|home|lib|lib64|opt|proc|root|sbin|srv|sys|usr|var))?\/?\*?$/

function removesRoots(words: string[]): boolean {
  const recursive = words.some((word) => /^-[a-zA-Z]*[rR]/.test(word) || word === '--recursive')
  return recursive && words.some((word) => !word.startsWith('-') && word !== '' && word !== '*' && ROOTS.test(word))
}

/** `curl … | sh`, `sh -c "$(curl …)"`, `bash <(curl …)`: what runs is not what was signed. */
export function findRemoteScripts({commands}: Subjects): Finding[] {
  return commands.flatMap(({value, path}) => {
    const text = value.replace(/\\\r?\n/g, ' ')
    const remote = text.split(/[\n;]|&&|\|\|/).some((line) => inOrder(line, PIPED) || inOrder(line, SUBSTITUTED))
    return remote ? [issue('remote_script', path, 'The command runs a script that it has just downloaded')] : []
  })
}

const DOWNLOAD = /\b(?:curl|wget)\b/i
const PIPED = [DOWNLOAD, /\|\s*(?:sudo\s+)?(?:[\w./-]{0,200}\/)?(?:ba|z|da|k)?sh\b/i]
const SUBSTITUTED = [/\b(?:(?:ba|z|da|k)?sh|eval|source)\b/i, /[<$]\(\s*(?:curl|wget)\b/i]
