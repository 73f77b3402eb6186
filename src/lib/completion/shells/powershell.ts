/** PowerShell 5.1 or newer. Where nothing is offered, PowerShell completes files by itself. */
export const POWERSHELL = String.raw`# PowerShell completion for atomctl, printed by: atomctl completion powershell
Register-ArgumentCompleter -Native -CommandName 'atomctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
        })
    $program = Get-Command -Name 'atomctl' -CommandType Application,ExternalScript -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $program) { return }
    $current = $wordToComplete.Trim("'", '"')
    & $program __complete powershell @words "=$current" 2>$null | ForEach-Object {
        if (-not $_.StartsWith('=')) { return }
        $value, $description = $_.Substring(1).Split([char]9, 2)
        if (-not $value.StartsWith($current)) { return }
        if (-not $description) { $description = $value }
        $typed = if ($value -match '^[A-Za-z0-9_][A-Za-z0-9_./:=+-]*$|^--?[A-Za-z0-9][A-Za-z0-9_./:=+-]*$') { $value }
            else { "'" + [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($value) + "'" }
        [System.Management.Automation.CompletionResult]::new($typed, $value, 'ParameterValue', $description)
    }
}`
