/// nameif's and ifrename's table of names and addresses: /etc/mactab, /etc/iftab.
package struct CardTable: NetworkSyntax {
    package static let kind = ConfigurationKind("card-table")
    package static let places: [ConfigurationPlace] = [.path("/etc/mactab"), .path("/etc/iftab")]

    private let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    package static func facts(of files: [ParsedFile<CardTable>]) -> NetworkFacts {
        var facts = NetworkFacts()
        for file in files {
            for row in file.syntax.rows {
                guard
                    let index = row.words.indices.dropFirst().first(where: {
                        HardwareAddress(row.words[$0]) != nil
                    })
                else { continue }
                facts.use(row.words[0], file.file)
                facts.pin(row.words[index], row.ranges[index], of: row.words[0], .names, "the row", file.file)
            }
        }
        return facts
    }
}
