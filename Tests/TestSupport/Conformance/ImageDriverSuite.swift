internal import HostIO
internal import ImageFormats
internal import Storage
import Testing

/// What every image format owes its users; a format's own tests add what is special about it.
package enum ImageDriverSuite {
    /// A new disk is recognised, has the size that was asked for, reads as zeros by its map alone and is sound.
    package static func aNewDiskIsZeros(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        let path = kind.path("new", directory)
        let size = kind.size(23)
        do {
            let made = try kind.create(path, byteCount: size)
            #expect(made.disk.byteCount == size && made.disk.sectorSize == kind.sectorSize)
            #expect(made.disk.isWritable)
            try made.disk.flush()
        }
        if kind.isRecognised {
            #expect(try ImageProbe.format(of: try HostFile.open(path)) == kind.driver.format)
        }
        let image = try kind.open(path)
        #expect(!image.disk.isWritable)
        #expect(image.info.format == kind.driver.format)
        #expect(image.info.virtualSize == size && image.info.sectorSize == kind.sectorSize)
        #expect(image.info.warnings == [])
        #expect(image.disk.parents.isEmpty && image.info.references.allSatisfy(\.isPartOfImage))
        var position: UInt64 = 0
        while position < size {
            let extent = try image.disk.nextExtent(at: position)
            // A fixed disk's bytes lie in the file, which the host's own holes need not tell.
            if case .plain = extent.kind {} else { #expect(extent.kind == .zero) }
            position = extent.range.upperBound
        }
        try kind.expect(path, holds: [UInt8](repeating: 0, count: Int(size)), directory)
        let info = try ImageProbe.describe(path, format: kind.driver.format)
        #expect(info.virtualSize == size)
    }

    /// What is written arrives, in new units and old ones, in sessions that follow each other; others read it.
    package static func writesMatchAFlatCopy(_ kind: ImageDriverCase, madeByJudge: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = kind.path("disk", directory)
        var contents = [UInt8](repeating: 0, count: Int(kind.size(40)))
        let flat = try scatteredDisk(directory, "flat", byteCount: UInt64(contents.count), seed: 3)
        contents = try fileBytes(flat)
        if madeByJudge, let judge = kind.judge, let options = kind.judgeOptions {
            try Tool.run("qemu-img", ["convert", "-q", "-f", "raw", "-O", judge] + options + [flat, path])
        } else {
            try copyIn(flat, try kind.create(path, byteCount: UInt64(contents.count)).disk)
        }
        // Others may round sizes up.
        let size = Int(try kind.open(path).disk.byteCount)
        #expect(size >= contents.count && size < contents.count + 1 << 20)
        contents += [UInt8](repeating: 0, count: size - contents.count)
        try kind.expect(path, holds: contents, mayLeak: madeByJudge, directory)
        for session in 0..<4 {
            let disk = try kind.open(path, .write).disk
            try BlockDeviceSuite.writes(
                disk, &contents, seed: UInt64(session) + 4, flushing: session == 2)
            if session == 3 {
                // The last byte, and everything at once.
                try disk.write([0x5a], at: UInt64(size) - 1)
                contents[size - 1] = 0x5a
                let large = SeededBytes.block(9 << 20, seed: 9)
                try disk.write(large, at: 1_000_001)
                contents.replaceSubrange(1_000_001..<1_000_001 + large.count, with: large)
                try disk.flush()
            }
            try kind.expect(path, holds: contents, mayLeak: madeByJudge, directory)
        }
    }

    /// Opening, describing, checking and reading change no byte, whatever the file was opened for; and a disk that was
    /// opened for reading is not written.
    package static func readingWritesNothing(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        let path = kind.path("disk", directory)
        let size = kind.size(9)
        do {
            let disk = try kind.create(path, byteCount: size).disk
            try disk.write(SeededBytes.block(300_000, seed: 1), at: 700_001)
            try disk.flush()
        }
        let before = try kind.files(path)
        for access in [FileAccess.read, .write] {
            let disk = try kind.open(path, access).disk
            _ = try disk.bytes(at: 0, count: Int(size))
            try disk.flush()
            if access == .read {
                let error = #expect(throws: StorageError.self) { try disk.write([1], at: 0) }
                #expect(error?.code == "read-only")
            }
        }
        _ = try kind.findings(path)
        _ = try ImageProbe.describe(path, format: kind.driver.format, locking: .ignore)
        let after = try kind.files(path)
        #expect(after.keys.sorted() == before.keys.sorted())
        for (name, bytes) in before { #expect(isSame(after[name] ?? [], bytes), "\(name)") }
    }

    /// Nothing is made over a file that is there, or by options that nobody knows.
    package static func creationRefuses(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        let path = kind.path("disk", directory)
        let unknown = #expect(throws: StorageError.self) {
            try kind.create(path, byteCount: 1 << 20, options: kind.options + [("colour", "blue")])
        }
        #expect(unknown?.code == "unknown-option")
        #expect(!HostDirectory.exists(path))
        try directory.write("disk.\(kind.driver.format.rawValue)", "mine")
        let taken = #expect(throws: StorageError.self) { try kind.create(path, byteCount: 1 << 20) }
        #expect(taken?.kind == .io || taken?.kind == .refused)
        #expect(try fileBytes(path) == Array("mine".utf8))
    }

    /// A file that ends early, or holds other bytes in its first sectors, is an error by name or a disk that reads:
    /// never a trap, a hang or memory without bound.
    package static func damageIsTold(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        let path = kind.path("disk", directory)
        do {
            let disk = try kind.create(path, byteCount: kind.size(5)).disk
            try disk.write(SeededBytes.block(400_000, seed: 1), at: 500_000)
            try disk.flush()
        }
        try damageIsTold(kind, of: fileBytes(path), directory)
    }

    /// The same of an image whose bytes are `whole`.
    static func damageIsTold(
        _ kind: ImageDriverCase, of whole: [UInt8], _ directory: TemporaryDirectory
    ) throws {
        var random = SeededRandom(77)
        let name = "damaged.\(kind.driver.format.rawValue)"
        for count in [0, 1, 511, 512, 513, 1024, 4096, 65_536, whole.count / 2, whole.count - 1]
        where count < whole.count {
            try survives(kind, try directory.write(name, Array(whole.prefix(count))))
        }
        for _ in 0..<40 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let at = Int.random(in: 0..<min(bytes.count, 4096), using: &random)
                bytes[at] = [0, 0xff, 0x80, bytes[at] ^ 1].randomElement(using: &random) ?? 0
            }
            try survives(kind, try directory.write(name, bytes))
        }
    }

    private static func survives(_ kind: ImageDriverCase, _ path: String) throws {
        do throws(StorageError) {
            _ = try ImageProbe.describe(path, format: kind.driver.format, locking: .ignore)
            try ImageProbe.check(path, format: kind.driver.format, locking: .ignore) {
                #expect(!$0.code.isEmpty && !$0.message.isEmpty)
            }
            let disk = try ImageProbe.open(
                path, format: kind.driver.format,
                options: ImageOpenOptions(access: .write, locking: .ignore)
            ).disk
            _ = try disk.bytes(at: 0, count: Int(min(disk.byteCount, 1 << 20)))
            try disk.write([1, 2, 3], at: disk.byteCount / 2)
            try disk.flush()
        } catch {
            #expect(!error.code.isEmpty && !error.message.isEmpty)
        }
    }
}

/// Bytes that are the same in every run.
package enum SeededBytes {
    /// `count` of them.
    package static func block(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed)
        return random.block(count)
    }
}
