import { readData } from "./data";
import { connectFlames } from "./flames";
import { connectFragment } from "./fragment";
import { connectGap } from "./gap";
import { connectHotspots } from "./hotspots";
import { connectPage } from "./page";

document.documentElement.classList.add("js");
const data = readData();
connectGap();
connectHotspots(data.edges);
connectFlames(data);
connectPage();
connectFragment();
