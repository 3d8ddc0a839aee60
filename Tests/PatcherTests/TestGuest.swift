import Foundation
import GuestTree
import Initramfs
import Patcher
import Storage
import TestSupport
import Testing

/// A guest for tests: volumes, those file systems that can be read, and how its disks are known.
struct TestGuest {
    var volumes: [Volume] = []
    var fileSystems: [Int: any FileSystem] = [:]
    var diskCount = 1
    var presentation = SourcePresentation.unknown
    /// What the first sector of each disk starts; empty: nobody looked.
    var bootCode: [BootCode] = []
    /// What opens an initramfs that is a file system.
    var openOldRoot: OldRootOpener?

    /// Adds partition `number` of disk `disk` (from 1, as the command line counts).
    @discardableResult
    mutating func partition(
        _ number: Int, _ kind: VolumeIdentity.Kind, uuid: String? = nil,
        label: String? = nil,
        disk: Int = 1, partUUID: String? = nil, type: String? = nil, readable: Bool = true,
        hibernated: Bool = false
    ) -> MemoryFileSystem {
        diskCount = max(diskCount, disk)
        return add(
            .partition(disk: disk - 1, number: number), disk == 1 ? "p\(number)" : "\(disk):p\(number)", kind,
            uuid,
            label, partUUID, type, readable, hibernated)
    }

    /// Adds a logical volume.
    @discardableResult
    mutating func logicalVolume(
        _ group: String, _ name: String, _ kind: VolumeIdentity.Kind, uuid: String? = nil
    ) -> MemoryFileSystem {
        add(
            .logicalVolume(group: group, name: name), "\(group)/\(name)", kind, uuid, nil, nil, nil, true,
            false)
    }

    /// Adds a disk that is one file system.
    @discardableResult
    mutating func wholeDisk(_ disk: Int, _ kind: VolumeIdentity.Kind, uuid: String? = nil) -> MemoryFileSystem
    {
        diskCount = max(diskCount, disk)
        return add(
            .wholeDisk(disk: disk - 1), disk == 1 ? "disk" : "\(disk):disk", kind, uuid, nil, nil, nil, true,
            false)
    }

    private mutating func add(
        _ location: Volume.Location, _ name: String, _ kind: VolumeIdentity.Kind, _ uuid: String?,
        _ label: String?,
        _ partUUID: String?, _ type: String?, _ readable: Bool, _ hibernated: Bool
    ) -> MemoryFileSystem {
        let fileSystem = MemoryFileSystem(kind: kind, uuid: uuid, label: label)
        var identity = fileSystem.identity
        identity.isHibernated = hibernated
        let isFileSystem = [.ext2, .ext3, .ext4, .xfs, .vfat, .btrfs].contains(kind)
        if readable, isFileSystem { fileSystems[volumes.count] = fileSystem }
        volumes.append(
            Volume(
                name: name, location: location, device: MemoryDevice(byteCount: 512), identity: identity,
                partitionUUID: partUUID, typeName: type, isEFISystemPartition: type == "EFI System"))
        return fileSystem
    }

    /// Kernels and initramfs images need not be written where they are not what a test is about.
    var standsIn = true

    func survey() throws -> Survey {
        if standsIn { try standIn() }
        return try find()
    }

    private func find() throws -> Survey {
        try GuestFinder.survey(
            volumes: volumes, fileSystems: fileSystems, diskCount: diskCount, presentation: presentation,
            bootCode: bootCode, openingOldRoots: openOldRoot)
    }

    /// Writes what the menus load, where no kernel lies anywhere.
    private func standIn() throws {
        let disks = fileSystems.values.compactMap { $0 as? MemoryFileSystem }
        let hasKernel = disks.contains { disk in
            disk.files.keys.contains { path in
                let parts = path.split(separator: "/")
                guard parts.count == 1 || parts.first == "boot", let name = parts.last else { return false }
                return ["vmlinu", "bzImage", "initr"].contains { name.hasPrefix($0) }
            }
        }
        guard !hasKernel else { return }
        for guest in try find().guests {
            for item in guest.bootEntries {
                guard let disk = fileSystems[item.file.file.volume] as? MemoryFileSystem else { continue }
                for path in [item.entry.kernel].compactMap({ $0 }) + item.entry.initrds
                where !path.contains("$") {
                    var plain = path.first == "(" ? String(path.drop { $0 != ")" }.dropFirst()) : path
                    // syslinux takes names from beside its menu.
                    if plain.first != "/", let slash = item.file.path.lastIndex(of: "/") {
                        plain = item.file.path[...slash] + plain
                    }
                    disk.write(plain, path == item.entry.kernel ? "stand-in" : Fixture.emptyArchive)
                }
            }
            (fileSystems[guest.rootVolume] as? MemoryFileSystem)?.write("/vmlinuz", "stand-in")
        }
    }

    func plan(
        _ target: String, controller: Controller? = nil, names: NamingPolicy = .uuid,
        only: Set<Repair>? = nil,
        skip: Set<Repair> = [], fix: Set<Repair> = [], addresses: [AddressStatement] = []
    ) throws -> Plan {
        let guest = try #require(try survey().guests.first)
        let target = try #require(Target.named(target))
        var request = PlanRequest(
            target: target, controller: controller, names: names, only: only, skip: skip, fix: fix)
        request.addresses = addresses
        return try Planner.plan(guest, request)
    }

    /// Carries a plan's edits, new files and new names out, checking what they expect.
    func apply(_ plan: Plan) throws {
        for action in plan.actions {
            switch action.kind {
            case .edit(let edit):
                let fileSystem = try #require(fileSystems[edit.file.volume] as? MemoryFileSystem)
                #expect(try fileSystem.contents(of: edit.file.id) == edit.expected)
                fileSystem.replace(edit.file.id, edit.contents)
            case .create(let place, let contents, _):
                let fileSystem = try #require(
                    fileSystems[place.directory.volume] as? MemoryFileSystem)
                #expect(
                    fileSystem.create(
                        place.missing + [place.name], below: place.directory.id, contents),
                    "\(place.path.displayText) must not be there")
            case .copy(let file, let place):
                let fileSystem = try #require(
                    fileSystems[place.directory.volume] as? MemoryFileSystem)
                #expect(
                    fileSystem.create(
                        place.missing + [place.name], below: place.directory.id,
                        try fileSystem.contents(of: file.id)),
                    "\(place.path.displayText) must not be there")
            case .replace(let file, let source):
                let fileSystem = try #require(fileSystems[file.volume] as? MemoryFileSystem)
                fileSystem.replace(file.id, try fileSystem.contents(of: source.id))
            case .rename(let place, let newName):
                let fileSystem = try #require(
                    fileSystems[place.directory.volume] as? MemoryFileSystem)
                #expect(fileSystem.rename(place.name, in: place.directory.id, to: newName))
            default: break
            }
        }
    }

    /// Plans and applies; a second plan must be empty.
    @discardableResult
    func patch(_ target: String, controller: Controller? = nil, names: NamingPolicy = .uuid) throws -> Plan {
        let plan = try plan(target, controller: controller, names: names)
        try apply(plan)
        let again = try self.plan(target, controller: controller, names: names)
        let left = again.actions.map { "\($0.reason)" }
        #expect(left == [], "a second run must find nothing to do")
        return plan
    }
}

/// Fixture trees and expectations, beside the tests.
enum Fixtures {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/guests").path

    /// All regular files below a directory, by path relative to it ("/etc/fstab").
    static func files(_ name: String) throws -> [String: [UInt8]] {
        let base = "\(root)/\(name)"
        var found: [String: [UInt8]] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: base) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(base)/\(path)")
            guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
            found["/\(path)"] = try fileBytes("\(base)/\(path)")
        }
        return found
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }
