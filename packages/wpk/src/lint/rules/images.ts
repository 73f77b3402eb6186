import type {Finding} from '../../document/finding.ts'
import {issue} from '../catalogue.ts'
import type {Subjects} from '../subjects.ts'

export function findInsecureImages({images}: Subjects): Finding[] {
  return images
    .filter(({value}) => !isPinned(value))
    .map(({value, path}) => issue('insecure_image', path, `The image is not pinned to a version: ${value || '(none)'}`))
}

/** A digest pins; so does a tag other than latest. The colon of `registry:5000/app` is a port, not a tag. */
function isPinned(image: string): boolean {
  if (image.includes('@')) return /@sha256:[0-9a-f]{64}$/i.test(image)
  const name = image.slice(image.lastIndexOf('/') + 1)
  const tag = /:([^:}]+\}?)$/.exec(name)?.[1]
  if (tag === undefined) return name.includes('${')
  return tag.toLowerCase() !== 'latest'
}
