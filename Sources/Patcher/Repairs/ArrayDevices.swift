/// mdadm looks at the devices that DEVICE names.
enum ArrayDevices: PlanStep {
    static let repair = Repair.names
    static let reads: [any ConfigurationSyntax.Type] = [MDConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(MDConfiguration.self) { repair(file, &draft) }
    }

    private static func repair(_ file: ParsedFile<MDConfiguration>, _ draft: inout PlanDraft) {
        for row in file.syntax.rows where row.words[0].uppercased() == "DEVICE" {
            let named = row.words.indices.filter { index in
                let word = row.words[index]
                // A pattern is no name: /dev/sd*, /dev/cciss/*.
                let isPattern = ["/dev/sd", "/dev/hd", "/dev/vd", "/dev/xvd", "/dev/nvme", "/dev/cciss"]
                    .contains { word.hasPrefix($0) }
                return index > 0 && (isPattern || DeviceName(word).isPositional)
            }
            guard let first = named.first, let last = named.last else { continue }
            draft.edit(
                file.file, row.ranges[first].lowerBound..<row.ranges[last].upperBound, "partitions", .names,
                "arrays are found on any partition, whatever the controller calls it")
        }
        for row in file.syntax.rows where row.words[0].uppercased() == "ARRAY" {
            let isKnown = row.words.contains { word in
                ["uuid=", "name=", "super-minor="].contains { word.lowercased().hasPrefix($0) }
            }
            for (word, range) in zip(row.words, row.ranges).dropFirst() where word.hasPrefix("devices=/dev/")
            {
                guard isKnown else {
                    draft.advise(
                        .names, file.file,
                        "\(word) ties the array to device names; its UUID would be enough")
                    continue
                }
                // Rows are told apart by what stands before.
                let blank = file.file.bytes[..<range.lowerBound].reversed().prefix { $0.isBlank }.count
                draft.edit(
                    file.file, range.lowerBound - blank..<range.upperBound, "", .names,
                    "the array is found by what the row says beside, whatever the controller calls its devices"
                )
            }
        }
    }
}
