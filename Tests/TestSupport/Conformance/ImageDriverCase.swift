internal import HostIO
package import ImageFormats
package import Storage
import Testing

/// A kind of image that a driver makes, as the suite of all drivers needs to know it.
package struct ImageDriverCase: Sendable, CustomStringConvertible {
    /// A list of options, as `create` takes them.
    package typealias Options = [(key: String, value: String)]

    /// Its name in the results.
    package let description: String
    /// The driver.
    package let driver: any ImageDriver.Type
    /// The options that make this kind.
    package var options: Options = []
    /// The guest's sectors.
    package var sectorSize: UInt32 = 512
    /// Whether its files' bytes tell the format (all but raw).
    package var isRecognised = true
    /// qemu-img's name for the format; nil: it cannot read this kind.
    package var judge: String?
    /// Whether `qemu-img check` knows the format.
    package var isCheckedByJudge = false
    /// qemu-img's options for making this kind; nil: it is not asked to.
    package var judgeOptions: [String]?
    /// The options of parents that a child of this kind can have; none: the format has no children.
    package var parents: [Options] = []
    /// Whether a child names its parent's file; else it is looked for by its identifier.
    package var namesParent = true
    /// Whether a child knows its parent by more than its name.
    package var knowsParent = true
    /// Whether a child has its parent's size and no other.
    package var keepsParentSize = false
    /// Whether all of it is one file, so that the power can be cut in it.
    package var isOneFile = true

    /// A kind of image.
    package init(_ description: String, _ driver: any ImageDriver.Type) {
        self.description = description
        self.driver = driver
    }

    /// The same with changes.
    package func with(_ change: (inout ImageDriverCase) -> Void) -> ImageDriverCase {
        var copy = self
        change(&copy)
        return copy
    }

    /// A path that ends as the format's files do.
    package func path(_ name: String, _ directory: TemporaryDirectory) -> String {
        directory.path("\(name).\(driver.format.rawValue)")
    }

    /// A size that is a multiple of this kind's sectors and of nothing else.
    package func size(_ mebibytes: UInt64) -> UInt64 { mebibytes << 20 | UInt64(sectorSize) }

    /// Makes an image of this kind and leaves it open for writing.
    package func create(
        _ path: String, byteCount: UInt64, options: Options? = nil, parent: String? = nil
    ) throws -> OpenedImage {
        try driver.create(
            path, byteCount: byteCount,
            options: ImageCreateOptions(
                values: options ?? self.options, sectorSize: sectorSize, parent: parent))
    }

    /// Opens one, without locks: tests read what they are still writing.
    package func open(
        _ path: String, _ access: FileAccess = .read,
        _ references: ReferencePolicy = ReferencePolicy(allowsSiblings: true)
    ) throws -> OpenedImage {
        try ImageProbe.open(
            path, format: driver.format,
            options: ImageOpenOptions(access: access, locking: .ignore, references: references))
    }

    /// What the driver's own check says, notes left out.
    package func findings(_ path: String) throws -> [Finding] {
        var findings: [Finding] = []
        try ImageProbe.check(path, format: driver.format, locking: .ignore) {
            if $0.severity != .note { findings.append($0) }
        }
        return findings
    }

    /// Both checks find the image sound, and both readers find `contents` in it. Others leave gaps of their own:
    /// `mayLeak`.
    package func expect(
        _ path: String, holds contents: [UInt8], mayLeak: Bool = false, _ directory: TemporaryDirectory
    ) throws {
        #expect(try findings(path).filter { $0.severity == .damage || !mayLeak } == [])
        try BlockDeviceSuite.reads(try open(path).disk, contents)
        guard let judge, Tool.has("qemu-img") else { return }
        if isCheckedByJudge { try Tool.run("qemu-img", ["check", "-q", "-f", judge, path]) }
        let flat = try directory.write("judged.raw", contents)
        try Tool.run("qemu-img", ["compare", "-q", "-f", "raw", "-F", judge, flat, path])
    }

    /// All files of an image.
    package func files(_ path: String) throws -> [String: [UInt8]] {
        let options = ImageCreateOptions(values: options, sectorSize: sectorSize)
        let size = try open(path).disk.byteCount
        let names = driver.companions(of: path, byteCount: size, options: options)
        let directory = HostPath.directory(of: path)
        var files = [path: try fileBytes(path)]
        for name in names { files["\(directory)/\(name)"] = try fileBytes("\(directory)/\(name)") }
        return files
    }
}
