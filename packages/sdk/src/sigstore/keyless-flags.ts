import * as Flags from '@oclif/core/flags'

/** The flags of keyless signing; spread into `static flags`. */
export const keylessFlags = {
  keyless: Flags.boolean({
    description: 'Sign with a certificate for an OIDC identity instead of a key',
    exclusive: ['key'],
    helpGroup: 'KEYLESS',
  }),
  'identity-token': text('OIDC token: its text, @FILE, or - for standard input', 'TOKEN'),
  'signing-config': text('Sigstore to use: a signing_config.json, or public-good to fetch the public one', 'FILE'),
  'fulcio-url': url('Certificate authority'),
  'rekor-url': url('Transparency log (Rekor v1; v2 takes --signing-config)'),
  'tsa-url': url('Timestamp authority'),
}

function text(description: string, helpValue: string) {
  return Flags.string({description, helpValue, dependsOn: ['keyless'], helpGroup: 'KEYLESS'})
}

function url(description: string) {
  return Flags.string({
    description,
    helpValue: 'URL',
    dependsOn: ['keyless'],
    exclusive: ['signing-config'],
    helpGroup: 'KEYLESS',
  })
}
