internal import CLinux
internal import Glibc
package import Storage

// Locks keep programs out, and the kernel asks for none: a file system that the host has mounted from an image would
// write back what it holds in memory over what is written here.

extension HostFile {
    /// Throws `refused`, code "mounted", when the host's kernel works on the file itself: a loop device is attached
    /// to it, or it is a block device that is mounted or swapped to, itself, a partition of it, or what lies on those
    /// (LVM, MD), or that another part of the kernel has claimed: somebody in another namespace has it mounted, for one.
    ///
    /// A reader is kept out only where the kernel may write: what it reads meanwhile would be partly old and partly new.
    func requireNotUsedByKernel(_ use: KernelUse) throws(StorageError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return }
        if isBlockDevice { try requireNotUsed(Self.number(status)) }
        for loop in use.loops where loop.isBacked(by: status, isBlockDevice: isBlockDevice) {
            if access == .read, loop.isReadOnly { continue }
            throw usedByKernel(
                "\(loop.path) is attached to it; unmount what is mounted from there and detach it (losetup -d)"
            )
        }
    }

    /// Asks once more for those of `files` that keep others out, right before they are written: what was free when they were
    /// opened may have been mounted since. The host is looked through once for all of them.
    package static func requireNotUsedByKernel(_ files: [any ByteFile]) throws(StorageError) {
        let use = KernelUse()
        for case let file as HostFile in files where file.keepsOthersOut {
            try file.requireNotUsedByKernel(use)
        }
    }

    /// Nothing on the block device is mounted in this namespace; for a reader, nothing that may be written to. Returns the numbers of
    /// those devices that are mounted otherwise.
    private func requireNotMounted(
        _ number: String, _ devices: Devices
    ) throws(StorageError) -> Set<String> {
        var mounted: Set<String> = []
        for line in Self.text(of: "/proc/self/mountinfo")?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: " ")
            // btrfs shows a number of its own; what it lies on is named behind the dash.
            let source = fields.firstIndex(of: "-").flatMap { fields.dropFirst($0 + 2).first }
            let shown = fields.dropFirst(2).first.map(String.init)
            let named = source.flatMap { Self.deviceNumber(of: String($0)) }
            let used = [shown, named].compactMap(\.self).filter(devices.numbers.contains)
            guard fields.count > 4, !used.isEmpty else { continue }
            // The last column has the file system's own options, which hold for all of its mounts, in all namespaces.
            if access == .read, fields.last?.split(separator: ",").first == "ro" {
                mounted.formUnion(used)
                continue
            }
            let subject = fields[2] == number ? "it" : "what lies on it"
            throw usedByKernel("\(subject) is mounted at \(fields[4]); unmount it first")
        }
        return mounted
    }

    private func requireNotUsed(_ number: String) throws(StorageError) {
        let devices = Self.devices(over: number)
        let mounted = try requireNotMounted(number, devices)
        for line in Self.text(of: "/proc/swaps")?.split(separator: "\n") ?? [] {
            guard let name = line.split(separator: " ").first.map(String.init),
                let swap = Self.deviceNumber(of: name), devices.numbers.contains(swap)
            else { continue }
            throw usedByKernel("the host swaps to \(name); run swapoff first")
        }
        // What lies on it is known and not in use here; or somebody has claimed it who shows nothing.
        let isKnown = Self.text(of: "/proc/self/mountinfo") != nil && Self.text(of: "/proc/swaps") != nil
        for asked in isKnown ? devices.toBeAsked(mounted) : [number] {
            let isClaimed =
                asked == number
                ? unsafe path.withHostPath({ unsafe clinux_is_claimed(descriptor, $0) })
                : unsafe "/dev/block/\(asked)".withHostPath({ unsafe clinux_is_claimed(-1, $0) })
            guard isClaimed == 1 else { continue }
            let subject = asked == number ? "it" : "what lies on it"
            throw usedByKernel(
                "the host's kernel uses \(subject), and nothing that is seen from here says for what: it is mounted in another mount "
                    + "namespace (a container's), or part of a file system of several devices, RAID or multipath; end that first"
            )
        }
    }

    /// A block device, its partitions, and all that is made of them (LVM, MD, dm-crypt), by their numbers.
    private struct Devices {
        var numbers: Set<String>
        /// Those that others are made of, which claim them.
        var held: Set<String> = []
        /// The partitions of those that have some; whoever claims one claims the disk.
        var partitions: [String: [String]] = [:]

        /// Those whose claim would tell something: where it is not of what was found, by the kernel or as `mounted`.
        func toBeAsked(_ mounted: Set<String>) -> [String] {
            let known = held.union(mounted)
            return numbers.filter { number in
                !known.contains(number) && !(partitions[number] ?? []).contains(where: known.contains)
            }.sorted()
        }
    }

    private static func devices(over number: String) -> Devices {
        var found = Devices(numbers: [number])
        var left = [number]
        while let next = left.popLast() {
            let folder = "/sys/dev/block/\(next)"
            let holders = HostDirectory.names(in: folder + "/holders")
            if !holders.isEmpty { found.held.insert(next) }
            let partitions = HostDirectory.names(in: folder)
                .filter { HostDirectory.exists("\(folder)/\($0)/partition") }
            found.partitions[next] = partitions.compactMap { name in
                text(of: "\(folder)/\(name)/dev").map { String($0.prefix { $0 != "\n" }) }
            }
            for device in holders.map({ "\(folder)/holders/\($0)" }) + partitions.map({ "\(folder)/\($0)" }) {
                guard let text = text(of: device + "/dev") else { continue }
                let number = String(text.prefix { $0 != "\n" })
                if found.numbers.insert(number).inserted { left.append(number) }
            }
        }
        return found
    }

    /// The number of the block device at `path`, through links, as the kernel writes it: "8:1"; nil for other files.
    package static func deviceNumber(of path: String) -> String? {
        var status = stat()
        guard unsafe path.withHostPath({ unsafe stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFBLK
        else { return nil }
        return number(status)
    }

    /// gnu_dev_major and gnu_dev_minor of st_rdev.
    static func number(_ status: stat) -> String {
        let raw = UInt64(status.st_rdev)
        return "\(raw >> 8 & 0xfff | raw >> 32 & 0xffff_f000):\(raw & 0xff | raw >> 12 & 0xffff_ff00)"
    }

    /// A file that the kernel makes up as it is read.
    package static func text(of path: String) -> String? {
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, O_RDONLY, 0) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            text += piece[..<count]
        }
        return String(hostBytes: text)
    }

    private func usedByKernel(_ reason: String) -> StorageError {
        StorageError(
            .refused, HostFileCode.mounted, reason, path: path,
            remedies: access == .read ? [.ignoreLocks] : [])
    }
}
