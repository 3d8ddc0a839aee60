internal import Storage

extension Planner {
    /// LVM finds its volumes by their own labels, unless a filter or a devices file keeps it from looking.
    mutating func repairLVM() {
        for file in guest.files(.lvm) {
            guard case .lvm(let configuration) = file.syntax else { continue }
            for filter in configuration.filters { repairFilter(file, filter) }
        }
        for file in guest.files(.lvmDevices) { repairDevicesFile(file) }
    }

    private mutating func repairFilter(_ file: ScannedFile, _ filter: LVMConfiguration.Filter) {
        // Only what holds physical volumes: a filter may hide other disks on purpose.
        let hidden = guest.volumes.indices.compactMap { index -> String? in
            guard guest.volumes[index].identity.kind == .lvm2, let name = targetName(index, controller),
                !filter.accepts(name)
            else { return nil }
            return name
        }
        guard let first = hidden.first else { return }
        let prefix = diskPrefix(first)
        let pattern = "\"a|^\(prefix)|\""
        guard filter.isList else {
            advise(
                .lvm, file,
                "\(filter.name) does not let \(prefix)* in; it is not a list, so it is not changed")
            return
        }
        let reason = "the filter would hide \(prefix)*, the disks behind \(controller.rawValue)"
        if edit(file, filter.insertionPoint..<filter.insertionPoint, pattern + ", ", .lvm, reason) {
            advise(
                .lvm, file,
                "an initramfs may hold a copy of the old filter of lvm.conf: if the root is on LVM, make it anew after "
                    + "the first boot, or boot with the rescue entry")
        }
    }

    /// "/dev/vd" of "/dev/vda1".
    private func diskPrefix(_ name: String) -> String {
        if name.hasPrefix("/dev/nvme") { return "/dev/nvme" }
        return name.hasPrefix("/dev/xvd") ? "/dev/xvd" : String(name.prefix(7))
    }

    /// Rows tied to the hypervisor's serial numbers become rows by name; LVM then checks the volume's own identifier
    /// and looks for it elsewhere when it is not there.
    private mutating func repairDevicesFile(_ file: ScannedFile) {
        for row in file.rows {
            let words = KernelCommandLine(file.bytes, words: row.ranges)
            guard let type = words.last("IDTYPE")?.valueRange, let name = words.last("IDNAME")?.valueRange,
                let device = words.last("DEVNAME")?.valueRange
            else { continue }
            let kind = file.bytes.text(type)
            let isBound = ["sys_wwid", "sys_serial", "devname"].contains(kind)
            guard isBound else { continue }
            let text = file.bytes.text(device)
            guard case .volume(let volume) = guest.resolver.resolve(DeviceName(text)),
                let new = targetName(volume, controller)
            else {
                if case .disk = DeviceName(text) {
                    advise(
                        .lvm, file, "the row of \(text) names a device that was not found on the given disks")
                }
                continue
            }
            let reason =
                "\(text) is \(guest.volumes[volume].name), which has another identifier on \(request.target.hypervisor.title)"
            edit(file, type, "devname", .lvm, reason)
            edit(file, name, new, .lvm, reason)
            edit(file, device, new, .lvm, reason)
        }
    }
}
