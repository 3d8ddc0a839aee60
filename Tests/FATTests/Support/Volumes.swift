import FAT
import Foundation
import Storage
import TestSupport

/// A kind of volume that mkfs.vfat makes.
struct Profile: Sendable, CustomStringConvertible {
    let name: String
    let width: Int
    let sectorSize: Int
    let sectorsPerCluster: Int
    let kilobytes: Int
    var more: [String] = []
    var isForMtools = true

    var clusterSize: Int { sectorSize * sectorsPerCluster }
    var description: String { name }

    static let fat12 = Profile(
        name: "FAT12", width: 12, sectorSize: 512, sectorsPerCluster: 4, kilobytes: 6000)
    static let fat16 = Profile(
        name: "FAT16", width: 16, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 6000)
    /// Linux takes it for FAT32, as it says; mtools does not, because it has too few clusters.
    static let fat32 = Profile(
        name: "small FAT32", width: 32, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 6000,
        isForMtools: false)
    static let fat32Large = Profile(
        name: "FAT32", width: 32, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 34_500)
    static let fat16Sectors = Profile(
        name: "FAT16, sectors of 2048", width: 16, sectorSize: 2048, sectorsPerCluster: 1, kilobytes: 12000)
    static let fat32Sectors = Profile(
        name: "FAT32, sectors of 4096", width: 32, sectorSize: 4096, sectorsPerCluster: 1, kilobytes: 6000,
        isForMtools: false)
    static let all = [fat12, fat16, fat32, fat16Sectors, fat32Sectors]

    static let tools = ["mkfs.vfat", "fsck.vfat", "mcopy", "mdir"]
    static let areThere = tools.allSatisfy { Tool.has($0) }

    /// A volume with these files and the directories above them.
    func make(_ files: [String: [UInt8]] = [:], label: String? = nil) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let image = directory.path("image")
        try Tool.run(
            "mkfs.vfat",
            ["-F", "\(width)", "-S", "\(sectorSize)", "-s", "\(sectorsPerCluster)", "-i", "1A2B3C4D"] + more
                + (label.map { ["-n", $0] } ?? []) + ["-C", image, "\(kilobytes)"])
        return isForMtools ? try fill(image, directory, files) : try fill(fileBytes(image), files)
    }

    /// Filled by this engine, where mtools does not take the volume.
    private func fill(_ bytes: [UInt8], _ files: [String: [UInt8]]) throws -> [UInt8] {
        let device = MemoryDevice(bytes)
        let transaction = try FATFileSystem.open(device).begin()
        for (path, contents) in files.sorted(by: { $0.key < $1.key }) {
            var directory = transaction.rootDirectory
            let names = path.split(separator: "/").map { Array($0.utf8) }
            for name in names.dropLast() {
                directory =
                    try transaction.lookUp(name, in: directory)
                    ?? transaction.createDirectory(name, in: directory, attributes: .init(permissions: 0))
            }
            guard let name = names.last else { continue }
            _ = try transaction.createFile(
                name, in: directory, contents: contents, attributes: .init(permissions: 0))
        }
        try transaction.prepare().commit()
        return device.contents
    }

    private func fill(
        _ image: String, _ directory: TemporaryDirectory, _ files: [String: [UInt8]]
    ) throws -> [UInt8] {
        let tree = directory.path("tree")
        for (path, contents) in files {
            let target = URL(fileURLWithPath: tree + "/" + path)
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(contents).write(to: target)
        }
        if !files.isEmpty {
            try Tool.run("sh", ["-c", "cd \"$1\" && mcopy -i \"$0\" -s * ::/", image, tree])
        }
        return try fileBytes(image)
    }
}

/// fsck.vfat on a volume.
enum Judge {
    /// What it says of a FAT32 with few clusters, which is no defect of ours.
    private static let smallness = [
        "Warning: Filesystem is FAT32 according to fat_length and fat32_length fields,", "  but has only ",
        "  This may lead to problems on some systems.",
    ]

    /// What fsck.vfat -n says, without its own name and its count of files; empty when it is content.
    static func defects(_ bytes: [UInt8]) throws -> String {
        let directory = try TemporaryDirectory()
        let path = try directory.write("image", bytes)
        let result = try Tool.run("fsck.vfat", ["-n", path], expect: nil)
        let lines = (result.text + result.errorText).split(separator: "\n").filter {
            !$0.hasPrefix("fsck.fat ") && !($0.hasPrefix(path) && $0.hasSuffix(" clusters"))
                && !smallness.contains(where: $0.hasPrefix)
        }
        if lines.isEmpty { return result.status == 0 ? "" : "status \(result.status)" }
        return lines.joined(separator: "\n").replacing(path, with: "image")
    }

    /// The volume as fsck.vfat -a leaves it.
    static func repaired(_ bytes: [UInt8]) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let path = try directory.write("image", bytes)
        try Tool.run("fsck.vfat", ["-a", path], expect: nil)
        // A label is in the boot sector and in its copy; which one is right, fsck.vfat leaves to the user.
        var mended = try fileBytes(path)
        let left = try Tool.run("fsck.vfat", ["-n", path], expect: nil)
        if left.text.contains("There are differences between boot sector and its backup") {
            let sector = Int(mended[11]) | Int(mended[12]) << 8
            let copy = (Int(mended[50]) | Int(mended[51]) << 8) * sector
            mended.replaceSubrange(copy..<copy + sector, with: mended[..<sector])
        }
        return mended
    }
}
