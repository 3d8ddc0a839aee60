/// A script of XenServer's and XCP-ng's `xe`, run on the host: the storage repository and the network are its arguments.
struct XeCommands {
    private let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    var text: String {
        var script = ShellScript(
            comments: [
                "\(machine.shownName), for XenServer and XCP-ng: sh FILE SR-UUID [NETWORK-UUID], on the host, with the disks beside it."
            ] + machine.assumptions)
        script.add("repository=${1:?the UUID of the storage repository}")
        script.add("network=${2:-}")
        let name = ShellScript.word(machine.shownName)
        script.add(
            "vm=$(xe vm-install template='Other install media' new-name-label=\(name) sr-uuid=\"$repository\")"
        )
        let memory = "\(machine.memoryMebibytes)MiB"
        script.add(
            "xe vm-memory-limits-set uuid=\"$vm\" static-min=\(memory) dynamic-min=\(memory) dynamic-max=\(memory) static-max=\(memory)"
        )
        script.add("xe vm-param-set uuid=\"$vm\" VCPUs-max=\(machine.shownProcessorCount)")
        script.add("xe vm-param-set uuid=\"$vm\" VCPUs-at-startup=\(machine.shownProcessorCount)")
        script.add("xe vm-param-set uuid=\"$vm\" HVM-boot-policy='BIOS order' HVM-boot-params:order=c")
        script.add(
            "xe vm-param-set uuid=\"$vm\" HVM-boot-params:firmware=\(machine.isUEFI ? "uefi" : "bios")")
        if machine.isUEFI {
            script.add(
                "xe vm-param-set uuid=\"$vm\" platform:secureboot=\(machine.startsSignedLoadersAlone)")
        }
        for (index, disk) in machine.disks.enumerated() {
            let label = ShellScript.word("\(machine.shownName) \(index)")
            script.add(
                "vdi=$(xe vdi-create sr-uuid=\"$repository\" name-label=\(label) type=user virtual-size=\(disk.byteCount ?? 0))"
            )
            let format = disk.format == "vhd" ? " format=vhd" : ""
            script.add("xe vdi-import uuid=\"$vdi\" filename=\(ShellScript.word(disk.file))\(format)")
            script.add(
                "xe vbd-create vm-uuid=\"$vm\" vdi-uuid=\"$vdi\" device=\(disk.shownUnit) "
                    + "bootable=\(disk == machine.disksInBootOrder.first) mode=RW type=Disk > /dev/null")
        }
        for (index, card) in machine.cards.enumerated() {
            script.add(
                "[ -z \"$network\" ] || xe vif-create vm-uuid=\"$vm\" network-uuid=\"$network\" device=\(index)"
                    + (card.address.map { " mac=\($0)" } ?? "") + " > /dev/null")
        }
        script.add("echo \"$vm\"")
        return script.text
    }
}
