import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {explain, type Explanation} from '../lib/explanation.ts'
import {explainView} from '../lib/views/explain.ts'

export default class Explain extends AtomCommand {
  static override summary = 'Explain a field of the package format, an error code or a security rule'
  static override examples = [
    '<%= config.bin %> explain',
    '<%= config.bin %> explain wpk.spec.handlers.k8s',
    '<%= config.bin %> explain wpktest.cases.expect',
    '<%= config.bin %> explain SIGNER_UNTRUSTED',
    '<%= config.bin %> explain hardcoded_secrets',
  ]
  static override args = {
    word: Args.string({
      description: 'Path such as wpk.spec.safety, error code, or rule id',
      default: 'wpk',
      ignoreStdin: true,
    }),
  }

  async run(): Promise<Explanation> {
    const {args} = await this.parse(Explain)
    return this.emit(explainView, await explain(args.word, this.config.root))
  }
}
