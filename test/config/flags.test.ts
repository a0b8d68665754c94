import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addFlags, readFlags } from '../../src/cli/flags.ts'
import { commands, flagsOf, resolveConfig, type CommandName } from '../../src/config/index.ts'

function given(name: CommandName, args: readonly string[]) {
  const flags = flagsOf(commands[name].groups, commands[name].without)
  const command = addFlags(new Command(name), flags).argument('[inputs...]').exitOverride()
  command.configureOutput({ writeErr: () => undefined })
  command.parse([...args], { from: 'user' })
  return { flags: readFlags(command, flags), inputs: command.args, help: command.helpInformation() }
}

describe('addFlags and readFlags', () => {
  it('gives back only what was given, as text', () => {
    const { flags, inputs } = given('get', [
      'https://a.org/x',
      '-j',
      '8',
      '--limit-rate',
      '10MiB',
      '--header',
      'A: b',
      '--header',
      'C: d',
      '-i',
      '-',
      '-o',
      '-',
      '--remote-time',
      '--no-config',
      '-q',
      '--retries=3',
      '-x4',
    ])
    expect(flags).toEqual({
      concurrency: '8',
      limitRateBps: '10MiB',
      headers: ['A: b', 'C: d'],
      inputFile: ['-'],
      out: '-',
      remoteTime: true,
      config: false,
      quiet: true,
      retries: '3',
      split: '4',
    })
    expect(inputs).toEqual(['https://a.org/x'])
    expect(given('get', []).flags).toEqual({})
  })

  it('leads to values with the flag as their origin', () => {
    const { flags } = given('get', ['--space-wait', '2m', '--no-insecure', '--no-config'])
    const { values, origins } = resolveConfig({ groups: commands.get.groups, layers: { flags } })
    expect(values).toMatchObject({ spaceWaitMs: 120_000, insecure: false, config: false })
    expect(origins).toMatchObject({
      spaceWaitMs: { layer: 'flag', flag: '--space-wait' },
      insecure: { layer: 'flag', flag: '--no-insecure' },
      config: { layer: 'flag', flag: '--no-config' },
    })
  })

  it('takes the last of a flag that does not repeat, and of a switch and its opposite', () => {
    expect(given('get', ['--retries', '1', '--retries', '2']).flags).toEqual({ retries: '2' })
    expect(given('get', ['--insecure', '--no-insecure']).flags).toEqual({ insecure: false })
    expect(given('dataset', ['--no-extract-exif', '--extract-exif']).flags).toEqual({ extractExif: true })
  })

  it('reads the flags of books and datasets', () => {
    expect(
      given('book', ['x', '-f', 'pdf,cbz', '-f', 'epub', '--jobs', '8/2', '--slice', '2000']).flags,
    ).toEqual({
      formats: ['pdf,cbz', 'epub'],
      jobs: '8/2',
      sliceHeightPx: '2000',
    })
    const { flags } = given('dataset', [
      't.csv',
      '--slice',
      '10',
      '--delay',
      '1-4',
      '--no-extract-exif',
      '--save-columns',
      'a,b',
    ])
    const { values } = resolveConfig({ groups: commands.dataset.groups, layers: { flags } })
    expect(values).toMatchObject({
      slice: 10,
      delay: { minMs: 1000, maxMs: 4000 },
      extractExif: false,
      saveColumns: ['a', 'b'],
    })
  })

  it('shows groups, arguments and defaults in help, and one side of a switch', () => {
    const { help } = given('get', [])
    expect(help).toContain('Network:')
    expect(help).toContain('--timeout <DURATION>')
    expect(help).toContain('(default: 30s)')
    expect(help).toContain('--no-config')
    expect(help.replaceAll(/\s+/g, ' ')).toContain('--no-config Leave the configuration files')
    expect(help).not.toContain('--no-insecure')
  })

  it('refuses flags that are not of the command', () => {
    expect(() => given('get', ['--url-col', 'x'])).toThrow(/unknown option '--url-col'/)
    // Else the file would be taken for something to download.
    expect(() => given('get', ['--config', 'file.yaml'])).toThrow(/unknown option '--config'/)
    expect(() => given('get', ['--timeout'])).toThrow(/--timeout <DURATION>.*argument missing/)
  })
})
