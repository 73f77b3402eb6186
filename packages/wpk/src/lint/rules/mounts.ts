import {posix} from 'node:path'

import type {Finding} from '../../document/finding.ts'
import {issue} from '../catalogue.ts'
import type {Container, Subjects} from '../subjects.ts'
import {mappingOf, placeItems, textOf} from '../values.ts'

/** Directories whose content, or any part of it, is the host itself. */
const SENSITIVE = [
  '/etc',
  '/proc',
  '/sys',
  '/run',
  '/var/run',
  '/var/lib/docker',
  '/var/lib/kubelet',
  '/dev',
  '/boot',
  '/root',
]

export function findHostPathMounts({containers, volumes, mounts}: Subjects): Finding[] {
  const hostPaths = volumes.flatMap(({value, path}) => {
    const hostPath = textOf(mappingOf(value['hostPath'])['path'])
    return hostPath === undefined ? [] : [mountIssue(hostPath, `${path}.hostPath.path`)]
  })
  const dockerMounts = mounts.filter(({value}) => isSensitive(value)).map(({value, path}) => mountIssue(value, path))
  return [...containers.flatMap(mountFindings), ...hostPaths, ...dockerMounts]
}

/** Where the pod says what a volume is, that counts; where it does not, the mount path is all there is to judge. */
function mountFindings({value, path, volumes}: Container): Finding[] {
  return placeItems(value['volumeMounts'], `${path}.volumeMounts`).flatMap((mount) => {
    const mountPath = textOf(mount.value['mountPath'])
    const volume = volumes?.get(String(mount.value['name']))
    if (mountPath === undefined || volume || !isSensitive(mountPath)) return []
    return [mountIssue(mountPath, `${mount.path}.mountPath`)]
  })
}

function isSensitive(path: string): boolean {
  if (!path.startsWith('/')) return false
  const normal = posix.normalize(path).replace(/(?<=.)\/$/, '')
  return (
    normal === '/' ||
    normal.endsWith('.sock') ||
    SENSITIVE.some((root) => normal === root || normal.startsWith(`${root}/`))
  )
}

function mountIssue(mounted: string, path: string): Finding {
  return issue('host_path_mount', path, `Mounts a path of the host: ${mounted}`)
}
