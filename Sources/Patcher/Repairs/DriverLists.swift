extension Planner {
    /// Lists of drivers that the next initramfs is made from. They do not change the next boot, but the one after the
    /// next kernel update.
    mutating func repairDriverLists() {
        for file in guest.files(.modprobe) { repairModprobe(file) }
        for file in guest.files(.sysconfigKernel) { repairInitrdModules(file) }
        for file in guest.files(.mkinitfs) { repairFeatures(file) }
        for file in guest.files(.mdadm) { repairMDDevices(file) }
    }

    /// The modules that mkinitrd of the RHEL 4 and 5 era takes from `scsi_hostadapter` aliases. Empty: built in.
    private var hostAdapters: [String] {
        switch controller {
        case .ide, .storvsc: []
        case .ahci: ["ahci"]
        case .lsi1030: guest.release?.major == 4 ? ["mptscsih", "mptbase"] : ["mptspi", "mptbase"]
        case .lsisas: ["mptsas", "mptbase"]
        case .sym53c8xx: ["sym53c8xx"]
        case .pvscsi: ["pvscsi"]
        case .virtioBlk: ["virtio_blk", "virtio_pci"]
        case .virtioSCSI: ["virtio_scsi", "virtio_pci"]
        case .megasas: ["megaraid_sas"]
        case .nvme: ["nvme"]
        case .xenBlkfront: ["xen-vbd", "xenblk"]
        }
    }

    private mutating func repairModprobe(_ file: ScannedFile) {
        let wanted = hostAdapters
        let harmless: Set<String> = ["ata_piix", "ahci", "libata", "usb-storage"]
        let aliases = file.rows.filter {
            $0.words.count >= 3 && $0.words[0] == "alias" && $0.words[1].hasPrefix("scsi_hostadapter")
        }
        var isListed = wanted.isEmpty || aliases.contains { wanted.contains($0.words[2]) }
        for row in aliases where !wanted.contains(row.words[2]) && !harmless.contains(row.words[2]) {
            if !isListed {
                isListed = true
                edit(
                    file, row.ranges[2], wanted[0], .settings,
                    "the next initrd needs the driver of \(controller.rawValue), not \(row.words[2])")
            } else {
                comment(
                    file, row, .settings,
                    "\(row.words[2]) drives no disk on \(request.target.hypervisor.title)")
            }
        }
        if !isListed, let last = aliases.last, !last.line.end.isEmpty {
            let number = aliases.count
            let end = last.line.whole.upperBound
            edit(
                file, end..<end, "alias scsi_hostadapter\(number) \(wanted[0])\n", .settings,
                "the next initrd needs the driver of \(controller.rawValue)")
        }
        disableForeignNetworkModules(file)
    }

    /// vmxnet and xennet are no part of the guest's own kernel: an alias to them hides the real card.
    private mutating func disableForeignNetworkModules(_ file: ScannedFile) {
        let target = request.target.hypervisor
        for row in file.rows where row.words.count >= 3 {
            let isVMware = row.words[0] == "alias" && row.words[2].hasPrefix("vmxnet")
            let isWrapper = row.words[0] == "install" && row.words.contains("vmxnet")
            let isXen = row.words[0] == "alias" && (row.words[2] == "xennet" || row.words[2] == "xen-vnif")
            if (isVMware || isWrapper) && target != .vmware || isXen && !target.hasAliasedDiskNames {
                comment(
                    file, row, .settings, "\(isXen ? row.words[2] : "vmxnet") drives no network card there")
            }
        }
    }

    private mutating func comment(
        _ file: ScannedFile, _ row: FieldTable.Row, _ repair: Repair, _ reason: String
    ) {
        let start = row.line.content.lowerBound
        edit(file, start..<start, "#", repair, reason)
    }

    /// SUSE's mkinitrd.
    private mutating func repairInitrdModules(_ file: ScannedFile) {
        let wanted: [String] =
            switch controller {
            case .ide: ["ata_piix"]
            case .virtioBlk: ["virtio_pci", "virtio_blk"]
            case .virtioSCSI: ["virtio_pci", "virtio_scsi"]
            case .lsi1030: ["mptspi"]
            case .lsisas: ["mptsas"]
            case .pvscsi: ["vmw_pvscsi"]
            case .ahci: ["ahci"]
            case .megasas: ["megaraid_sas"]
            case .sym53c8xx: ["sym53c8xx"]
            case .nvme: ["nvme"]
            // They are in other packages than the kernel's; mkinitrd stops at a module that it does not find.
            case .storvsc, .xenBlkfront: []
            }
        guard let list = file.variables?.last("INITRD_MODULES"), !list.isOpaque, list.quote != nil else {
            return
        }
        let present = Set(list.text.split(whereSeparator: \.isWhitespace).map(String.init))
        let missing = wanted.filter { !present.contains($0) }
        // The old IDE driver is built in.
        guard !missing.isEmpty, !(controller == .ide && usesOldIDEDriver()) else { return }
        let end = list.valueRange.upperBound
        let text = (list.text.isEmpty ? "" : " ") + missing.joined(separator: " ")
        edit(file, end..<end, text, .settings, "the next initrd needs the driver of \(controller.rawValue)")
    }

    /// Alpine's mkinitfs puts in what its features name.
    private mutating func repairFeatures(_ file: ScannedFile) {
        let wanted: String? =
            switch controller {
            case .ide, .ahci: "ata"
            case .nvme: "nvme"
            case .virtioBlk, .virtioSCSI: "virtio"
            case .xenBlkfront: "xenpci"
            default: "scsi"
            }
        guard let wanted, let list = file.variables?.last("features"), !list.isOpaque, list.quote != nil,
            !list.text.split(whereSeparator: \.isWhitespace).contains(Substring(wanted))
        else { return }
        let end = list.valueRange.upperBound
        if edit(
            file, end..<end, " " + wanted, .settings,
            "the next initramfs needs the driver of \(controller.rawValue)")
        {
            advise(
                .settings, file,
                "the present initramfs was made without “\(wanted)” and may lack the driver of \(controller.rawValue)"
            )
        }
    }

    /// mdadm looks at the devices that DEVICE names.
    private mutating func repairMDDevices(_ file: ScannedFile) {
        for row in file.rows where row.words[0].uppercased() == "DEVICE" {
            let named = row.words.indices.filter { index in
                let word = row.words[index]
                return ["/dev/sd", "/dev/hd", "/dev/vd", "/dev/xvd", "/dev/nvme", "/dev/cciss"].contains {
                    word.hasPrefix($0)
                }
            }
            guard let first = named.first, let last = named.last else { continue }
            edit(
                file, row.ranges[first].lowerBound..<row.ranges[last].upperBound, "partitions", .names,
                "arrays are found on any partition, whatever the controller calls it")
        }
        for row in file.rows where row.words[0].uppercased() == "ARRAY" {
            for word in row.words where word.hasPrefix("devices=/dev/") {
                advise(.names, file, "\(word) ties the array to device names; its UUID would be enough")
            }
        }
    }
}
