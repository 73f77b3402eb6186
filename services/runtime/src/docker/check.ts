import type {Finding} from '@atomctl/wpk/document'
import {finding} from '../handlers/handler.ts'
import type {HandlerSpec} from '../program.ts'

/** Why a container could never run as it is written. */
export function checkContainer(spec: HandlerSpec): Finding[] {
  const {image, command} = spec.config
  const findings: Finding[] = []
  if (typeof image !== 'string' || image.trim() === '')
    findings.push(finding('docker-image', 'config.image', 'A docker handler needs an image'))
  if (JSON.stringify(command ?? '').includes('\\u0000'))
    findings.push(finding('docker-command', 'config.command', 'NUL in the command'))
  return findings
}
