import Foundation
import Storage
import TestSupport

/// A volume's tree as the lines of the samples' `.expect.tsv`: path, mode, uid, gid, links, size, mtime in
/// nanoseconds, content, extended attributes.
struct Listing {
    private let volume: any FileSystem
    private let scratch: TemporaryDirectory
    private var lines: [(prefix: [UInt8], contents: Int?, suffix: [UInt8])] = []
    private var contentCount = 0

    static func lines(of volume: any FileSystem) throws -> Set<[UInt8]> {
        var listing = Listing(volume: volume, scratch: try TemporaryDirectory())
        var pending: [(file: FileID, path: [UInt8])] = [(volume.rootDirectory, [])]
        while let (directory, path) = pending.popLast() {
            for entry in try volume.entries(of: directory) {
                let entryPath = path + [UInt8(ascii: "/")] + entry.name
                try listing.add(entry, path: entryPath)
                if try volume.attributes(of: entry.file).type == .directory {
                    pending.append((entry.file, entryPath))
                }
            }
        }
        return Set(try listing.finished())
    }

    private init(volume: any FileSystem, scratch: TemporaryDirectory) {
        self.volume = volume
        self.scratch = scratch
    }

    private mutating func add(_ entry: DirectoryEntry, path: [UInt8]) throws {
        let attributes = try volume.attributes(of: entry.file)
        if let told = entry.type, told != attributes.type {
            throw Failure(description: "\(path.displayText): the directory says \(told)")
        }
        let time = attributes.modificationTime
        let nanoseconds = Int128(time.seconds) * 1_000_000_000 + Int128(time.nanoseconds)
        let size = attributes.type == .directory ? "-" : String(attributes.size)
        let fields = [
            "0o" + String(attributes.mode, radix: 8), String(attributes.owner), String(attributes.group),
            String(attributes.linkCount), size, String(nanoseconds),
        ]
        let prefix = path + Array(("\t" + fields.joined(separator: "\t") + "\t").utf8)
        var contents: Int?
        var what: [UInt8] = [UInt8(ascii: "-")]
        switch attributes.type {
        case .regular:
            what = []
            do {
                let bytes = try volume.contents(of: entry.file)
                try scratch.write(String(contentCount), bytes)
                contents = contentCount
                contentCount += 1
            } catch let error as StorageError where error.code == "encrypted" {
                what = Array("encrypted".utf8)
            }
        case .symbolicLink: what = Array("->".utf8) + (try volume.symbolicLinkTarget(of: entry.file))
        case .characterDevice, .blockDevice:
            let number = attributes.deviceNumber
            what = Array("dev:\(number?.major ?? 0),\(number?.minor ?? 0)".utf8)
        default: break
        }
        let attributeText = try volume.extendedAttributes(of: entry.file)
            .map { $0.name.displayText + "=" + $0.value.hexString }.sorted().joined(separator: " ")
        lines.append((prefix, contents, what + Array(("\t" + attributeText).utf8)))
    }

    private func finished() throws -> [[UInt8]] {
        var hashes: [Int: String] = [:]
        if contentCount > 0 {
            let sums = try Tool.run("sh", ["-c", "ls | xargs sha256sum"], directory: scratch.root).text
            for line in sums.split(separator: "\n") {
                let parts = line.split(separator: " ")
                if parts.count == 2, let index = Int(parts[1]) { hashes[index] = String(parts[0]) }
            }
        }
        return lines.map { line in
            line.prefix + (line.contents.flatMap { hashes[$0] }.map { Array($0.utf8) } ?? []) + line.suffix
        }
    }

    /// The lines of an expectation file, attributes sorted.
    static func expected(_ path: String) throws -> Set<[UInt8]> {
        let bytes = try fileBytes(path)
        return Set(
            bytes.split(separator: UInt8(ascii: "\n")).map { line in
                var fields = line.split(
                    separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                guard let last = fields.popLast() else { return Array(line) }
                let sorted = String(decoding: last, as: UTF8.self).split(separator: " ").sorted()
                    .joined(separator: " ")
                return fields.flatMap { Array($0) + [UInt8(ascii: "\t")] } + Array(sorted.utf8)
            })
    }
}
