internal import ImageFormats
import Storage
import Testing
@_spi(Testing) import Undo

extension ImageDriverSuite {
    /// Writes over old units, into new ones and across, records it, and cuts the power everywhere: every sector is old
    /// or new, the check finds leaks at worst, and writing goes on from there.
    package static func everyCutLeavesOldOrNew(_ kind: ImageDriverCase, seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let path = kind.path("disk", directory)
        let size = kind.size(6)
        do {
            let disk = try kind.create(path, byteCount: size).disk
            try disk.write(SeededBytes.block(700_000, seed: seed), at: 900_000)
            try disk.flush()
        }
        try cut(kind, path, directory, seed: seed)
    }

    /// The same over a parent.
    package static func everyCutOfAChildLeavesOldOrNew(_ kind: ImageDriverCase) throws {
        guard let options = kind.parents.first else { return }
        let directory = try TemporaryDirectory()
        let parent = kind.path("base", directory)
        let base = try kind.create(parent, byteCount: kind.size(6), options: options)
        try base.disk.write(SeededBytes.block(2 << 20, seed: 20), at: 1 << 20)
        try base.disk.flush()
        let path = kind.path("disk", directory)
        let child = try kind.create(path, byteCount: 0, parent: parent)
        try child.disk.write(SeededBytes.block(200_000, seed: 21), at: 900_000)
        try child.disk.flush()
        try cut(kind, path, directory, seed: 22)
    }

    /// Cuts the power in a session of writing on the image at `path`.
    package static func cut(
        _ kind: ImageDriverCase, _ path: String, _ directory: TemporaryDirectory, seed: UInt64,
        judge: ((_ path: String, _ contents: [UInt8], _ cut: String) throws -> Void)? = nil
    ) throws {
        let size = Int(try kind.open(path).disk.byteCount)
        let old = try kind.open(path).disk.bytes(at: 0, count: size)
        var new = old
        let operations: [HostTransaction.Operation]
        do {
            let image = try kind.open(path, .write)
            let transaction = try HostTransaction([image.disk.map.hostFiles[0]])
            var random = SeededRandom(seed)
            for step in 0..<6 {
                let count = Int.random(in: 1...60_000, using: &random)
                let offset = Int.random(in: 0...size - count, using: &random)
                let bytes = random.block(count)
                try image.disk.write(bytes, at: UInt64(offset))
                new.replaceSubrange(offset..<offset + count, with: bytes)
                if step == 2 { try image.disk.flush() }
            }
            try image.disk.flush()
            operations = transaction.recordedOperations
            transaction.rollBack()
        }
        #expect(operations.count > 6)
        let final = new
        var last = old
        try PowerCut.replay(operations, onto: path, seed: seed, in: directory) { path, cut in
            last = try kind.open(path).disk.bytes(at: 0, count: size)
            let torn = firstSectorOfNeither(last, old: old, new: final)
            #expect(torn == nil, "\(cut)")
            #expect(try kind.findings(path).filter { $0.severity == .damage } == [], "\(cut)")
            try judge?(path, last, cut)
            // Writing goes on from there too: nothing overlaps, nothing lies outside. In a copy: it may begin by
            // changing something, and the next cut is not to be of that.
            let copy = directory.path("continued")
            try Tool.run("cp", ["--sparse=always", path, copy])
            let disk = try kind.open(copy, .write).disk
            try disk.write([0x5a], at: UInt64(size) / 2)
            try disk.flush()
            #expect(try kind.findings(copy).filter { $0.severity == .damage } == [], "\(cut)")
        }
        let difference = firstDifference(last, final)
        #expect(difference == nil)
    }
}
