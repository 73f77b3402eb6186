import {POLICY_API_VERSION, POLICY_KIND} from '../schema.ts'

/** What `trust-policy init` writes: strict, trusting nobody, with every part of a policy shown in a comment. */
export const STARTER_POLICY = `# Who may sign the packages that atomctl pushes, pulls and runs.
# After a change: atomctl trust-policy check. For one package: atomctl trust-policy explain NAME-VERSION
apiVersion: ${POLICY_API_VERSION}
kind: ${POLICY_KIND}

# For packages that no rule is for. "strict" refuses what no trusted key signed; "permissive" lets unsigned packages
# through with a warning, "audit" everything with a warning, "skip" checks nothing.
default:
  level: strict

# Public keys by a name of your choice; files are relative to this one. To add yours: atomctl keys generate --trust
#   keys:
#     platform: {file: keys/platform.pub}
#     contractor: {file: keys/contractor.pub, notAfter: "2027-01-31T00:00:00Z"}
#     lost-laptop: {file: keys/lost-laptop.pub, revoked: true}

# Whose signature counts for which packages. The most specific scope decides, packages before registries.
#   rules:
#     - name: everything
#       scope: {packages: ["*"]}
#       signers: [{keys: [platform]}]
#     - name: production-changes
#       scope: {packages: ["rotate-*"], registries: ["https://registry.example.com"]}
#       signers: [{keys: [platform, contractor]}]
#       bindRegistry: true      # the signature must name this registry: atomctl sign --registry URL
`
