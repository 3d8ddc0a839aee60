internal import Ext4
internal import FAT
internal import Foundation
internal import HostIO
internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing
internal import XFS

/// A file opened as a device.
func fileDevice(_ path: String, access: FileAccess = .read, sectorSize: UInt32 = 512) throws
    -> FileDevice
{
    FileDevice(try HostFile.open(path, access: access, locking: .ignore), sectorSize: sectorSize)
}

/// Unpacks a sample below samples/ext4 and opens it; the directory must outlive the device.
func sample(_ name: String, in directory: TemporaryDirectory) throws -> FileDevice {
    try fileDevice(try SharedSamples.unpack("ext4/" + name, into: directory))
}

/// The engine's prober, with the drivers that there are.
let probe = VolumeProbe([Ext4Driver.self, FATDriver.self, XFSDriver.self])

func discover(_ disks: any BlockDevice...) throws -> DiscoveredVolumes {
    try VolumeDiscovery.discover(disks: disks, probe: probe)
}

func discover(disks: [any BlockDevice]) throws -> DiscoveredVolumes {
    try VolumeDiscovery.discover(disks: disks, probe: probe)
}

extension DiscoveredVolumes {
    var codes: [String] { findings.map(\.code) }
    /// "number start+count type" of each entry of the first disk.
    var layout: [String] {
        disks[0].table.entries.map { entry in
            let type = entry.typeGUID?.description ?? String(entry.typeCode ?? 0, radix: 16)
            return "\(entry.number) \(entry.startSector)+\(entry.sectorCount) \(type)"
        }
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}

/// Copies a device's bytes into a file, so that outside programs can judge them.
@discardableResult
func extract(_ device: any BlockDevice, to path: String) throws -> String {
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    var offset: UInt64 = 0
    while offset < device.byteCount {
        let count = Int(min(device.byteCount - offset, 1 << 20))
        let bytes = try device.bytes(at: offset, count: count)
        // Holes stay holes.
        let isZero = bytes.span8.isAllZero
        if !isZero {
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: Data(bytes))
        }
        offset += UInt64(count)
    }
    try handle.truncate(atOffset: device.byteCount)
    try handle.close()
    return path
}
