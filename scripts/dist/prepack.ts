import {build} from '../build.ts'
import {CLIENT, stageClient} from './stage.ts'

// What `npm pack` and `npm publish` run first, in the checkout: the build, and the folder that is all of the package.
try {
  await build()
  stageClient()
} catch (error) {
  process.stderr.write(`prepack: ${CLIENT} was not made: ${(error as Error).message}\n`)
  process.exitCode = 1
}
