extension Machine {
    /// Memory where the source did not say: 2 GiB.
    static var assumedMemoryByteCount: UInt64 { 2 << 30 }
    /// Processors where the source did not say.
    static var assumedProcessorCount: Int { 2 }

    /// Its name, or "guest".
    package var shownName: String { name.flatMap { $0.isEmpty ? nil : $0 } ?? "guest" }

    /// Its memory in MiB, rounded up.
    var memoryMebibytes: UInt64 {
        let bytes = memoryByteCount ?? Self.assumedMemoryByteCount
        return bytes >> 20 + (bytes & 0xfffff == 0 ? 0 : 1)
    }

    /// How many processors it is to have.
    var shownProcessorCount: Int { processorCount ?? Self.assumedProcessorCount }

    /// Whether it starts by UEFI.
    var isUEFI: Bool { firmware == .uefi }

    /// Whether its firmware is to start signed loaders alone.
    var startsSignedLoadersAlone: Bool { isUEFI && hasSecureBoot == true }

    /// Its disks, those that are started first.
    var disksInBootOrder: [Disk] { disks.filter(\.isStarted) + disks.filter { !$0.isStarted } }

    /// Its controllers as its disks name them, each once.
    var usedControllers: [DiskController] {
        var found: [DiskController] = []
        for controller in disks.compactMap(\.controller) where !found.contains(controller) {
            found.append(controller)
        }
        return found
    }

    /// What was assumed, a sentence each, for a comment.
    var assumptions: [String] {
        (memoryByteCount == nil ? ["The memory is assumed: the source did not say."] : [])
            + (processorCount == nil ? ["The number of processors is assumed: the source did not say."] : [])
            + (cards.contains { $0.address == nil }
                ? ["Network cards without an address get one from the hypervisor."] : [])
            + notes
    }
}

extension Machine.Disk {
    /// Its number behind its controller.
    var shownUnit: Int { unit ?? 0 }
    /// Its controller; checked before.
    var shownController: DiskController { controller ?? DiskController(.ide) }

    /// The file as it is named from elsewhere.
    func path(in directory: String) -> String {
        file.hasPrefix("/") ? file : directory == "/" ? "/\(file)" : "\(directory)/\(file)"
    }
}
