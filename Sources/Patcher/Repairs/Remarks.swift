extension Planner {
    /// What is reported and left alone unless asked for.
    mutating func remark() {
        remarkOnTools()
        remarkOnClock()
        remarkOnNetwork()
        remarkOnFirmware()
        remarkOnOpticalDrives()
        for file in guest.files(.xorg) { remarkOnDisplay(file) }
        for file in guest.files(.debconf) { remarkOnDebconf(file) }
        remarkOnLoader()
        for file in guest.files(.initramfsPolicy) { remarkOnInitramfs(file) }
    }

    /// An initramfs that was made for the old machine, or will be made with its names.
    private mutating func remarkOnInitramfs(_ file: ScannedFile) {
        for assignment in file.variables?.assignments ?? [] {
            let words = assignment.text.split { $0 == " " || $0 == "\t" || $0 == "," }.map(String.init)
            if assignment.name == "MODULES", ["dep", "list"].contains(assignment.text) {
                advise(
                    .settings, file,
                    "MODULES=\(assignment.text): the initramfs may hold the old machine's drivers alone")
            }
            for word in words where DeviceName(word).isPositional {
                advise(
                    .settings, file,
                    "\(assignment.name) names \(word), which may not be there on the next update")
            }
        }
    }

    private mutating func remarkOnTools() {
        for tool in guest.inspection.tools where tool.hypervisor != request.target.hypervisor {
            let item = Advice(
                repair: .tools, path: tool.path,
                message:
                    "\(tool.name) serve \(tool.hypervisor.title) and can be removed on \(request.target.hypervisor.title)",
                isMinor: true)
            if !advice.contains(item) { advice.append(item) }
        }
    }

    private mutating func remarkOnClock() {
        let words: Set<String> = [
            "clocksource=acpi_pm", "clock=pit", "notsc", "clocksource=xen", "clock=pmtmr",
        ]
        for place in commandLines {
            for argument in place.line.arguments {
                let text = place.file.bytes.text(argument.range)
                guard words.contains(text) || argument.name == "divider" else { continue }
                if argument.name == "divider" {
                    advise(
                        .clock, place.file, "\(text) was chosen for the old hypervisor's clock", isMinor: true
                    )
                } else if request.wants(.clock) {
                    removeArgument(
                        place, argument, .clock, "\(text) was chosen for the old hypervisor's clock")
                } else {
                    advise(
                        .clock, place.file,
                        "\(text) was chosen for the old hypervisor's clock (--fix clock takes it out)",
                        isMinor: true)
                }
            }
        }
        for file in guest.files(.sysctl)
        where file.bytes.text(0..<file.bytes.count).contains("xen.independent_wallclock") {
            advise(.clock, file, "xen.independent_wallclock concerns Xen alone", isMinor: true)
        }
    }

    private mutating func remarkOnDisplay(_ file: ScannedFile) {
        for row in TextLine.all(in: file.bytes) {
            let fields = file.bytes.fields(in: row.content)
            guard fields.count >= 2, file.bytes.text(fields[0]).lowercased() == "driver" else { continue }
            let name = file.bytes.text(fields[1])
            guard ["\"vmware\"", "\"vboxvideo\"", "\"cirrus\"", "\"qxl\""].contains(name) else { continue }
            if request.wants(.xorg) {
                edit(file, fields[1], "\"vesa\"", .xorg, "\(name) drives the old hypervisor's display")
            } else {
                advise(
                    .xorg, file, "Driver \(name) drives the old hypervisor's display (--fix xorg: \"vesa\")",
                    isMinor: true)
            }
        }
    }

    /// grub-pc's next update would install the loader to a disk that is not there, and fail.
    private mutating func remarkOnDebconf(_ file: ScannedFile) {
        var isDevices = false
        for line in TextLine.all(in: file.bytes) {
            let text = file.bytes.text(line.content)
            if text.isEmpty { isDevices = false }
            if text.hasPrefix("Name: grub-pc/install_devices") { isDevices = !text.hasSuffix("_empty") }
            guard isDevices, text.hasPrefix("Value: /dev/") else { continue }
            let value = line.content.lowerBound + "Value: ".utf8.count..<line.content.upperBound
            let name = file.bytes.text(value)
            guard DeviceName(name).isPositional else { continue }
            let new = controller.diskName(position(0), oldIDEDriver: usesOldIDEDriver())
            guard name != new else { continue }
            if request.wants(.debconf) {
                edit(file, value, new, .debconf, "grub-pc/install_devices names a disk of the old hypervisor")
            } else {
                advise(
                    .debconf, file,
                    "grub-pc/install_devices is \(name): the next update of grub-pc would fail (--fix debconf)",
                    isMinor: true)
            }
        }
    }

    private mutating func remarkOnOpticalDrives() {
        for file in guest.files(.fstab) {
            guard case .fstab(let fstab) = file.syntax else { continue }
            for row in fstab.rows where row.isRemovableMedium {
                guard case .disk(let name, nil) = DeviceName(row.spec) else { continue }
                advise(
                    .names, file,
                    "\(name) is the optical drive, which may have another name on \(request.target.hypervisor.title); "
                        + "the row is left as it is", isMinor: true)
            }
        }
    }

    /// A machine without boot entries of its own looks for one file on the ESP.
    private mutating func remarkOnFirmware() {
        let usesUEFI =
            guest.hasEFISystemPartition || !guest.files(.systemdBoot).isEmpty
            || guest.inspection.hasFallbackLoader != nil
        guard usesUEFI, guest.inspection.hasFallbackLoader != true else { return }
        let vendors = guest.inspection.efiVendors.joined(separator: ", ")
        let state = guest.inspection.hasFallbackLoader == false ? "is missing" : "could not be looked for"
        advise(
            .defaultEntry, nil,
            "EFI/BOOT/BOOTX64.EFI \(state) on the EFI system partition: the new machine's firmware knows no other entry; "
                + "copy the loader there" + (vendors.isEmpty ? "" : " from EFI/\(vendors)"))
    }

    private mutating func remarkOnLoader() {
        for file in guest.files(.lilo) {
            advise(
                .names, file,
                "LILO keeps the root's device number and the kernel's place in its map: lilo must be run in the guest, or "
                    + "another loader installed; this file is not changed")
        }
    }
}
