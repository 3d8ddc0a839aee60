import Storage
import TestSupport

@testable import FAT

/// A volume whose bytes a test changes.
struct DamagedVolume {
    var bytes: [UInt8]
    let geometry: Geometry

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        guard let boot = BootSector(bytes) else { throw Failure(description: "no boot sector") }
        geometry = Geometry(boot)
    }

    /// Sets what all tables say of a cluster.
    mutating func setTable(_ cluster: UInt32, _ value: UInt32, tables: [Int]? = nil) {
        for table in tables ?? geometry.keptTables {
            let place = geometry.tablePlace(of: cluster, in: table)
            var entry = Array(bytes[Int(place.offset)..<Int(place.offset) + place.count])
            geometry.setTableValue(value, of: cluster, in: &entry)
            bytes.replaceSubrange(Int(place.offset)..<Int(place.offset) + place.count, with: entry)
        }
    }

    /// Changes the slot of a file.
    mutating func change(_ path: String, _ body: (inout DirectorySlot) -> Void) throws {
        let place = Int(try slotOffset(path))
        var slot = DirectorySlot(Array(bytes[place..<place + 32]))
        body(&slot)
        bytes.replaceSubrange(place..<place + 32, with: slot.bytes)
    }

    func slotOffset(_ path: String) throws -> UInt64 {
        let volume = try FATFileSystem.open(MemoryDevice(bytes))
        guard let file = try Editor.find(path, in: volume) else {
            throw Failure(description: "\(path) is gone")
        }
        return file.rawValue
    }

    func firstCluster(_ path: String) throws -> UInt32 {
        let place = Int(try slotOffset(path))
        return DirectorySlot(Array(bytes[place..<place + 32])).firstCluster(geometry.width).rawValue
    }

    /// What the check finds.
    func findings() throws -> [Finding] {
        var found: [Finding] = []
        let device = MemoryDevice(bytes)
        try FATDriver.check(device) { found.append($0) }
        return found
    }

    func codes() throws -> Set<String> { Set(try findings().map(\.code)) }

    /// Why it is not written; nil where it is.
    func refusal() throws -> StorageError? {
        let volume = try FATFileSystem.open(MemoryDevice(bytes))
        do throws(StorageError) {
            _ = try volume.begin()
            return nil
        } catch {
            return error
        }
    }
}
