package import Storage
internal import Testing

/// A file system under the conformance suite: its driver, volumes of it, and who judges them.
package struct FileSystemSubject: Sendable, CustomStringConvertible {
    /// What it is called in reports.
    package var name: String
    /// Its driver.
    package var driver: any FileSystemDriver.Type
    /// The unit of allocation in bytes: contents are made around it.
    package var unit: Int
    /// A commit is old or new at every cut; without it a cut leaves what `repaired` makes sound.
    package var isAtomic: Bool
    /// Makes a volume that holds these files and the directories above them, with some megabytes free.
    package var make: @Sendable ([String: [UInt8]]) throws -> [UInt8]
    /// What an outside judge finds wrong with a volume; empty when it is sound.
    package var defects: @Sendable ([UInt8]) throws -> String
    /// A volume as the next mount, or its repair, leaves it after the power was cut.
    package var repaired: @Sendable ([UInt8]) throws -> [UInt8]

    package var description: String { name }

    /// Makes a subject.
    package init(
        name: String, driver: any FileSystemDriver.Type, unit: Int, isAtomic: Bool,
        make: @escaping @Sendable ([String: [UInt8]]) throws -> [UInt8],
        defects: @escaping @Sendable ([UInt8]) throws -> String,
        repaired: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        self.name = name
        self.driver = driver
        self.unit = unit
        self.isAtomic = isAtomic
        self.make = make
        self.defects = defects
        self.repaired = repaired
    }
}

/// A tree as it reads, for comparisons: what every file is and holds.
struct TreeSnapshot: Equatable {
    private(set) var files: [String: String] = [:]

    init(_ tree: any FileTree) throws {
        var pending: [(FileID, String)] = [(tree.rootDirectory, "")]
        while let (directory, prefix) = pending.popLast() {
            for entry in try tree.entries(of: directory) {
                let path = prefix + "/" + entry.name.displayText
                let attributes = try tree.attributes(of: entry.file)
                var words = [
                    attributes.type.rawValue, String(attributes.permissions, radix: 8),
                    "\(attributes.owner):\(attributes.group)", "\(attributes.linkCount)",
                ]
                switch attributes.type {
                case .directory: pending.append((entry.file, path))
                case .regular: words.append(try tree.contents(of: entry.file).hexString)
                case .symbolicLink: words.append(try tree.symbolicLinkTarget(of: entry.file).displayText)
                default: break
                }
                let extended = try tree.extendedAttributes(of: entry.file).map {
                    $0.name.displayText + "=" + $0.value.hexString
                }
                files[path] = (words + extended.sorted()).joined(separator: " ")
            }
        }
    }
}
